/** @import { Signal } from "../data/types.js" */
import { labelOf } from "../data/buildups.js"
import { element } from "../lib/dom.js"
import * as format from "../lib/format.js"
import { shortName } from "../data/symbols.js"

/** @typedef {Record<string, unknown>} Values */

/** How often seen values are said; others are shown with the words of their own name. */
const LABELS = /** @type {Record<string, string>} */ ({
  symbol: "Contract", close: "Close", price_change: "\u0394Price", open_interest: "OI",
  oi_change: "\u0394OI", volume: "Volume", mean_volume: "Mean volume", volume_spike: "Spike",
  label: "Build-up", delta_volume: "Delta volume", covering: "Covering", event_time: "At",
  target1: "Target 1", target2: "Target 2", losing_signals: "Lost before", atm_strike: "ATM",
  vwap: "VWAP", vwap_volume: "VWAP volume", vwap_minutes: "VWAP minutes",
})
/** What a trader looks for comes first; jsonb keeps no order of its own. */
const FIRST = ["direction", "entry", "stop", "target1", "target2"]
/** Said by the contract's name already, or by nothing that a person reads. */
const IMPLIED = ["strike", "option_type", "signal_id"]
const PRICES = /^(entry|stop|target[12]|open|high|low|close|spot|vwap|index_\w+|price_change|\w+_points)$/
const INSTANT = /^\d{4}-\d\d-\d\dT[\d:.]+\+00:00$/
const COUNTS = /volume|interest|oi_change/

/** @param {string} key */
const words = (key) =>
  LABELS[key] ?? key.charAt(0).toUpperCase() + key.slice(1).replaceAll("_", " ")

/** @param {string} key @param {unknown} value @returns {string} */
function text(key, value) {
  if (value === null || value === undefined || value === "") return "\u2013"
  if (typeof value === "boolean") return value ? "yes" : "no"
  if (typeof value === "number")
    return COUNTS.test(key) ? format.compact(value)
      : Number.isInteger(value) && !PRICES.test(key) ? String(value) : format.price(value)
  if (Array.isArray(value)) return listed(key, value)
  if (typeof value === "object")
    return Object.entries(value)
      .filter(([name]) => !IMPLIED.includes(name))
      .sort(([name], [other]) => Number(other === "symbol") - Number(name === "symbol"))
      .map(([name, item]) =>
        (name === "symbol" ? "" : `${words(name).toLowerCase()} `) + text(name, item))
      .join(" ")
  if (INSTANT.test(String(value))) return format.minute(Date.parse(String(value)) / 1000)
  if (key === "symbol") return shortName(String(value))
  if (key === "label") return labelOf(/** @type {any} */ (value)).name
  return String(value).replaceAll("_", " ")
}

/** @param {string} key @param {unknown[]} values */
function listed(key, values) {
  const texts = values.map((item) => text(key, item))
  // Gaps are the first and last minute of each.
  if (values.length === 2 && values.every((item) => INSTANT.test(String(item))))
    return [...new Set(texts)].join("\u2013")
  return texts.join(values.some((item) => typeof item === "object") ? "; " : ", ") || "none"
}

/**
 * Values by their names, as a list.
 * @param {Values} values
 * @param {Values} [others] what they are compared with: those that differ are marked
 */
export function describeValues(values, others) {
  const list = element("dl", { className: "facts" })
  const rest = Object.keys(values).filter((key) => !FIRST.includes(key))
  for (const key of [...FIRST.filter((key) => key in values), ...rest]) {
    const pair = element("div")
    pair.classList.toggle("differs", differs(key, values, others))
    pair.append(
      element("dt", { textContent: words(key) }),
      element("dd", { textContent: text(key, values[key]) }))
    list.append(pair)
  }
  return list
}

/** @param {string} key @param {Values} values @param {Values} [others] */
const differs = (key, values, others) =>
  others !== undefined && JSON.stringify(values[key]) !== JSON.stringify(others[key])

/**
 * Why a signal came: what it was computed from, then each contract's values.
 * @param {Signal} signal
 * @param {Signal} [now] of an earlier revision: what it is now; differences are marked
 */
export function explainSignal(signal, now) {
  const box = element("div", { className: "reasons", testId: "reasons" })
  box.append(describeValues(factsOf(signal), now && factsOf(now)))
  if (signal.reasons?.contracts?.length)
    box.append(contractTable(signal.reasons.contracts, now?.reasons?.contracts))
  return box
}

/** @param {Signal} signal @returns {Values} */
function factsOf(signal) {
  const { contracts: _, ...others } = signal.reasons ?? {}
  return {
    kind: signal.kind, spot: signal.spot, ATM: signal.atm_strike,
    ...(signal.net_delta_volume === null ? {} : { net_delta_volume: signal.net_delta_volume }),
    ...others,
    interval_ended: `${format.second(signal.event_time)} IST`,
    known: `${format.second(signal.known_at)} IST`,
    version: signal.version,
  }
}

/** @param {Values[]} contracts @param {Values[]} [others] */
function contractTable(contracts, others) {
  const keys = Object.keys(LABELS).filter((key) => contracts.some((values) => key in values))
  const rest = Object.keys(contracts[0]).filter((key) => !(key in LABELS) && !IMPLIED.includes(key))
  const columns = [...keys, ...rest]
  const table = element("table", { testId: "reason-table" })
  const head = table.createTHead().insertRow()
  head.append(...columns.map((key) => {
    const numeric = typeof contracts[0][key] === "number"
    return element("th", { textContent: words(key), className: numeric ? "num" : "" })
  }))
  const body = table.createTBody()
  for (const values of contracts) {
    const row = body.insertRow()
    row.classList.toggle("covering", values.covering === true)
    const other = others && (others.find(({ symbol }) => symbol === values.symbol) ?? {})
    row.append(...columns.map((key) => {
      const kind = typeof contracts[0][key] === "number" ? "num" : ""
      return element("td", {
        textContent: text(key, values[key]),
        title: COUNTS.test(key) ? String(values[key]) : "",
        className: differs(key, values, other) ? `${kind} differs` : kind,
      })
    }))
  }
  return table
}
