/** @import { Signal } from "../data/types.js" */
import { byId, element, setText } from "../lib/dom.js"
import * as format from "../lib/format.js"
import { strategyMark, strategyTitle } from "../data/strategies.js"
import { longName, shortName } from "../data/symbols.js"

/** A longer list would only slow the page; the charts have all markers. */
const MOST_ROWS = 300

/**
 * The list of signals, newest first.
 * @param {{go: (signal: Signal) => void, open: (signal: Signal) => void}} on `go` brings the charts
 *   to a signal, `open` also shows its contract
 */
export function createSignalList(on) {
  const body = byId("signal-rows")
  /** @type {Set<string> | null} */
  let known = null
  /** @type {readonly unknown[]} what the list was last written from */
  let written = []

  return {
    /** Forget what was shown, so that nothing counts as new. */
    reset() {
      known = null
      written = []
    },
    /**
     * @param {Signal[]} signals oldest first; the same array as long as nothing changed
     * @param {readonly (string | null)[]} shown symbols on the charts
     */
    show(signals, shown) {
      const key = [signals, ...shown]
      if (key.every((part, i) => part === written[i])) return
      written = key
      const fresh = known === null ? [] : signals.filter((s) => !known?.has(s.signal_id))
      const days = new Set(signals.map((signal) => format.isoDate(signal.event_time)))
      body.replaceChildren(
        ...signals.slice(-MOST_ROWS).reverse()
          .map((signal) => row(signal, shown, days.size > 1, on)))
      for (const { signal_id } of fresh)
        body.querySelector(`[data-signal-id="${CSS.escape(signal_id)}"]`)?.classList.add("fresh")
      const standing = signals.filter((signal) => !signal.withdrawn).length
      setText(byId("signal-count"), String(standing))
      byId("signal-empty").hidden = signals.length > 0
      if (fresh.length) announce(fresh[fresh.length - 1])
      known = new Set(signals.map((signal) => signal.signal_id))
    },
  }
}

/** Tell screen readers. @param {Signal} signal */
function announce(signal) {
  const price = format.price(signal.entry)
  const advice = `${signal.direction}: buy ${longName(signal.symbol)} at ${price}`
  setText(byId("announcer"), `${strategyTitle(signal)}, ${advice}`)
}

/**
 * @param {Signal} signal
 * @param {readonly (string | null)[]} shown
 * @param {boolean} dated the list holds several days
 * @param {{go: (signal: Signal) => void, open: (signal: Signal) => void}} on
 */
function row(signal, shown, dated, on) {
  const line = element("tr", { testId: "signal-row" })
  line.dataset.signalId = signal.signal_id
  line.dataset.symbol = signal.symbol
  line.dataset.direction = signal.direction
  line.classList.toggle("withdrawn", Boolean(signal.withdrawn))
  line.tabIndex = 0
  line.title = explain(signal)
  line.onclick = () => on.go(signal)
  line.onkeydown = (event) => {
    if (event.key !== "Enter" || event.target !== line) return
    on.go(signal)
  }
  const contract = element("button", { className: "link", textContent: shortName(signal.symbol) })
  contract.title = `Show ${longName(signal.symbol)}`
  contract.disabled = shown.includes(signal.symbol)
  contract.onclick = (event) => {
    event.stopPropagation()
    on.open(signal)
  }
  const tone = signal.direction === "BULLISH" ? "up" : "down"
  const arrow = signal.direction === "BULLISH" ? "\u25b2" : "\u25bc"
  const delay = signal.known_at - signal.event_time
  // Bought only when the premium rises to it.
  const waits = signal.entry_order === "stop" ? "\u2265 " : ""
  const day = dated ? `${format.dayMonth(signal.event_time)} ` : ""
  line.append(
    cell(day + format.minute(signal.event_time), "num strong"),
    cell(strategyMark(signal), "strong"),
    cell(`${arrow} ${signal.withdrawn ? "withdrawn" : signal.direction}`, `${tone} strong`),
    wrap(contract),
    cell(waits + format.price(signal.entry), "num strong"),
    cell(format.price(signal.stop), "num down"),
    cell(format.price(signal.target1), "num up"),
    cell(format.price(signal.target2), "num up"),
    cell(format.signedCompact(signal.net_delta_volume), "num"),
    cell(`${format.second(signal.known_at)} (+${format.duration(delay)})`, "num muted"),
  )
  if (signal.iv != null && signal.delta != null)
    contract.after(element("span", { className: "greeks", textContent: greeksText(signal) }))
  return line
}

/** @param {Signal} signal */
function explain(signal) {
  return [
    `${strategyTitle(signal)}, ${signal.kind.replaceAll("_", " ")}`,
    format.longDay(signal.event_time),
    `interval ended ${format.second(signal.event_time)} IST`,
    `known ${format.second(signal.known_at)} IST`,
    `spot ${format.price(signal.spot)}, ATM ${format.count(signal.atm_strike)}`,
    ...(signal.reasons?.contracts ?? []).filter((reason) => reason.covering).map(explainReason),
  ].join("\n")
}

/** The contract's delta and volatility when the signal was known. @param {Signal} signal */
const greeksText = ({ delta, iv }) =>
  `\u0394 ${format.delta(delta)} \u00b7 IV ${format.volatility(iv)}`

/** @param {import("../data/types.js").Reason} reason */
const explainReason = ({ symbol, price_change, oi_change, volume, mean_volume }) =>
  `${shortName(symbol)} short covering: premium ${format.signedPrice(price_change)}, ` +
  `OI ${format.signedCompact(oi_change)}, volume ${format.compact(volume)}, ` +
  `${(volume / mean_volume).toFixed(1)} times its mean`

/** @param {string} text @param {string} className */
const cell = (text, className) => element("td", { textContent: text, className })

/** @param {Node} content */
function wrap(content) {
  const made = element("td")
  made.append(content)
  return made
}
