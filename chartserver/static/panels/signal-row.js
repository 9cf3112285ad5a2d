/** @import { Reason, Signal } from "../data/types.js" */
import { isDelayed } from "../data/late.js"
import { strategyLetter, strategyTitle } from "../data/strategies.js"
import { longName, shortName } from "../data/symbols.js"
import { element, patch, patchAttribute } from "../lib/dom.js"
import * as format from "../lib/format.js"

/**
 * What a click on a row does.
 * @typedef {object} SignalActions
 * @property {(signal: Signal) => void} go bring the charts to it
 * @property {(signal: Signal) => void} open also show its contract
 */

/** One signal of the list: cells are made once and written where they changed. */
export class SignalRow {
  /** @param {SignalActions} on */
  constructor(on) {
    /** @type {Signal | null} */
    this.signal = null
    const line = element("tr", { testId: "signal-row" })
    line.tabIndex = 0
    line.onclick = () => this.signal && on.go(this.signal)
    line.onkeydown = (event) => {
      if (event.key === "Enter" && event.target === line && this.signal) on.go(this.signal)
    }
    this.element = line
    this.time = element("td", { className: "num strong" })
    this.letter = element("i", { className: "letter" })
    this.strategy = element("span", { className: "strategy-name" })
    this.direction = element("td")
    this.contract = element("button", { className: "link" })
    this.contract.type = "button"
    this.contract.onclick = (event) => {
      event.stopPropagation()
      if (this.signal) on.open(this.signal)
    }
    this.greeks = element("span", { className: "greeks" })
    this.entry = element("td", { className: "num strong" })
    this.stop = element("td", { className: "num down" })
    this.target1 = element("td", { className: "num up" })
    this.target2 = element("td", { className: "num up" })
    this.net = element("td", { className: "num" })
    this.known = element("td", { className: "num muted" })
    const by = element("td", { className: "by" })
    by.append(this.letter, this.strategy)
    const buy = element("td")
    buy.append(this.contract, this.greeks)
    line.append(
      this.time, by, this.direction, buy, this.entry, this.stop, this.target1, this.target2,
      this.net, this.known)
  }

  /**
   * @param {Signal} signal
   * @param {readonly (string | null)[]} shown symbols on the charts
   * @param {boolean} dated the list holds several days
   */
  write(signal, shown, dated) {
    const rising = signal.direction === "BULLISH"
    const day = dated ? `${format.dayMonth(signal.event_time)} ` : ""
    const delay = signal.known_at - signal.event_time
    if (signal !== this.signal) {
      this.signal = signal
      Object.assign(this.element.dataset, {
        signalId: signal.signal_id, symbol: signal.symbol, direction: signal.direction,
      })
      this.element.classList.toggle("withdrawn", Boolean(signal.withdrawn))
      patch(this.element, { title: explain(signal) })
      patch(this.letter, { textContent: strategyLetter(signal.strategy) })
      patch(this.direction, {
        className: rising ? "up strong" : "down strong",
        textContent: `${rising ? "\u25b2" : "\u25bc"} ${signal.withdrawn ? "withdrawn" : signal.direction}`
          + (isDelayed(signal) ? " \u00b7 DELAYED" : ""),
      })
      patch(this.contract, {
        textContent: shortName(signal.symbol), title: `Show ${longName(signal.symbol)}`,
      })
      patch(this.greeks, { textContent: greeksText(signal) })
      // Bought only when the premium rises to it.
      const waits = signal.entry_order === "stop" ? "\u2265 " : ""
      patch(this.entry, { textContent: waits + format.price(signal.entry) })
      patch(this.stop, { textContent: format.price(signal.stop) })
      patch(this.target1, { textContent: format.price(signal.target1) })
      patch(this.target2, { textContent: format.price(signal.target2) })
      patch(this.net, { textContent: format.signedCompact(signal.net_delta_volume) })
      patch(this.known, {
        textContent: `+${format.duration(delay)}`, title: `${format.second(signal.known_at)} IST`,
      })
    }
    // A newer version that came since makes this one worth saying.
    patch(this.strategy, { textContent: strategyTitle(signal) })
    patch(this.time, { textContent: day + format.minute(signal.event_time) })
    // Not disabled: that would take the focus from who has just chosen it.
    patchAttribute(this.contract, "aria-current", shown.includes(signal.symbol) ? "true" : null)
  }
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
const greeksText = ({ delta, iv }) => (iv == null || delta == null ? ""
  : `\u0394 ${format.delta(delta)} \u00b7 IV ${format.volatility(iv)}`)

/** @param {Reason} reason */
const explainReason = ({ symbol, price_change, oi_change, volume, mean_volume }) =>
  `${shortName(symbol)} short covering: premium ${format.signedPrice(price_change)}, ` +
  `OI ${format.signedCompact(oi_change)}, volume ${format.compact(volume)}, ` +
  `${(volume / mean_volume).toFixed(1)} times its mean`
