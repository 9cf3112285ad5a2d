/** @import { JudgedSignal } from "../data/types.js" */
import { outcomeAt } from "./columns.js"
import { element } from "../lib/dom.js"
import * as format from "../lib/format.js"

/** Columns as in SQL, times as IST. */
const SIGNAL = /** @type {const} */ ([
  "signal_id", "strategy", "version", "revision", "underlying", "direction", "kind", "symbol",
  "atm_strike", "spot", "net_delta_volume", "entry_order", "entry", "stop", "target1", "target2",
  "iv", "delta",
])
const OUTCOME = /** @type {const} */ ([
  "horizon_minutes", "entry_price", "exit_price", "gross_points", "costs_points", "return_points",
  "mfe_points", "mae_points", "hit", "exit_reason",
])

/** @param {unknown} value */
function field(value) {
  const text = value === null || value === undefined ? "" : String(value)
  return /[",\n]/.test(text) ? `"${text.replaceAll("\"", "\"\"")}"` : text
}

/** @param {number | null | undefined} time */
const moment = (time) => (time == null ? "" : `${format.isoMoment(time)}+05:30`)

/**
 * @param {JudgedSignal[]} signals
 * @param {number} horizon
 */
export function csvOf(signals, horizon) {
  const head = [
    "event_time", "known_at", "withdrawn", ...SIGNAL, "entered_at", "exited_at", ...OUTCOME,
  ]
  const rows = signals.map((signal) => {
    const outcome = outcomeAt(signal, horizon)
    return [
      moment(signal.event_time), moment(signal.known_at), Boolean(signal.withdrawn),
      ...SIGNAL.map((name) => signal[name]),
      moment(outcome?.entered_at), moment(outcome?.exited_at),
      ...OUTCOME.map((name) => outcome?.[name]),
    ]
  })
  return [head, ...rows].map((row) => row.map(field).join(",")).join("\n") + "\n"
}

/** Let the browser save a text. @param {string} name @param {string} text */
export function download(name, text) {
  const address = URL.createObjectURL(new Blob([text], { type: "text/csv" }))
  const link = Object.assign(element("a"), { href: address, download: name })
  link.click()
  URL.revokeObjectURL(address)
}
