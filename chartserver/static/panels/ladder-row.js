/** @import { LadderRow, LadderSide } from "../data/types.js" */
/** @import { Price } from "../data/prices.js" */
import { labelOf } from "../data/buildups.js"
import { newestPrice } from "../data/prices.js"
import { element, patch, patchAttribute } from "../lib/dom.js"
import * as format from "../lib/format.js"

/** A price this many market seconds old says so. */
const OLD_SECONDS = 90

/** @typedef {"call" | "put"} Side */

/**
 * What a row depends on besides its own values.
 * @typedef {object} Around
 * @property {number} observed time of the newest open interest, which the heading names
 * @property {number} most largest open interest of the ladder
 * @property {number | null} atm
 * @property {number | null} support
 * @property {number | null} resistance
 * @property {string | null} call symbol on its chart
 * @property {string | null} put
 */

/** One strike: its cells are made once and written where they changed. */
export class Row {
  /**
   * @param {number} strike
   * @param {(strike: number, side?: Side) => void} pick
   */
  constructor(strike, pick) {
    this.strike = strike
    this.element = element("tr", { testId: "ladder-row" })
    this.element.dataset.strike = String(strike)
    this.both = button(format.count(strike), () => pick(strike))
    const middle = element("td", { className: "strike" })
    middle.append(this.both)
    this.call = new Cells(strike, "call", pick)
    this.put = new Cells(strike, "put", pick)
    this.element.append(...this.call.cells(), middle, ...this.put.cells().reverse())
    /** @type {LadderRow | null} */
    this.row = null
    /** @type {Around | null} */
    this.around = null
  }

  /**
   * @param {LadderRow} row
   * @param {Around} around the same object while nothing in it changed
   */
  write(row, around) {
    if (row === this.row && around === this.around) return
    this.row = row
    this.around = around
    patch(this.element, { className: row.strike === around.atm ? "atm" : "" })
    const shown = isShown(row.call, around.call) && isShown(row.put, around.put)
    patchAttribute(this.both, "aria-pressed", String(shown))
    patch(this.both, { title: `Show the call and put of ${format.count(row.strike)}` })
    this.call.write(row.call, around, row.strike === around.resistance)
    this.put.write(row.put, around, row.strike === around.support)
  }

  /**
   * Prices move and age while all else stands.
   * @param {LadderRow} row
   * @param {(symbol: string) => Price | null} priceOf
   * @param {number} market time; NaN when unknown
   */
  writePrices({ call, put }, priceOf, market) {
    this.call.writePrice(call, priceOf, market)
    this.put.writePrice(put, priceOf, market)
  }
}

/** The cells of one side of a strike, named from the outside to the middle. */
class Cells {
  /** @param {number} strike @param {Side} side @param {(strike: number, side?: Side) => void} pick */
  constructor(strike, side, pick) {
    this.side = side
    this.kind = side === "call" ? "CE" : "PE"
    this.name = `${format.count(strike)} ${this.kind}`
    this.label = element("td", { className: "label" })
    this.chip = element("span")
    this.label.append(this.chip)
    this.change5m = element("td")
    this.changeDay = element("td")
    this.interest = element("td")
    this.interestTime = element("small", { className: "old", testId: "oi-time" })
    this.units = element("span")
    this.interest.append(this.interestTime, this.units)
    this.iv = element("td", { className: "num greek" })
    this.delta = element("td", { className: "num greek" })
    this.price = element("td")
    this.age = element("small", { className: "old", testId: "price-age" })
    this.button = button("", () => pick(strike, side))
    this.price.append(this.age, this.button)
  }

  cells() {
    return [
      this.label, this.change5m, this.changeDay, this.interest, this.iv, this.delta, this.price,
    ]
  }

  /** @param {LadderSide} side @param {Around} around @param {boolean} strongest */
  write(side, around, strongest) {
    this.writeLabel(side)
    for (const [cell, value] of /** @type {const} */ ([
      [this.change5m, side.oi_change_5m], [this.changeDay, side.oi_change],
    ])) patch(cell, { className: `num ${format.tone(value)}`, textContent: format.signedCompact(value) })
    patch(this.change5m, { title: fiveMinutes(side.label_at) })
    const wall = this.side === "call" ? "resistance" : "support"
    const seen = side.oi_at ? `as of ${format.second(side.oi_at)} IST` : ""
    const most = strongest ? `Most open interest of ${this.side}s: ${wall}` : ""
    patch(this.interest, {
      className: `num bar bar-${this.side}${strongest ? ` ${wall}` : ""}`,
      title: [most, seen].filter(Boolean).join("\n"),
    })
    patch(this.units, { textContent: format.compact(side.oi) })
    // With it the change and the label beside it are older than the heading says.
    const older = side.oi_at != null && side.oi_at < around.observed
    patch(this.interestTime, { textContent: older ? `${format.minute(side.oi_at ?? 0)} ` : "" })
    const share = `${((side.oi ?? 0) / around.most) * 100}%`
    if (this.interest.style.getPropertyValue("--share") !== share)
      this.interest.style.setProperty("--share", share)
    const title = greeksTitle(side)
    patch(this.iv, { textContent: format.volatility(side.iv), title })
    patch(this.delta, { textContent: format.delta(side.delta), title })
    const shown = isShown(side, around[this.side])
    patch(this.price, { className: shown ? "num ltp shown" : "num ltp" })
    patchAttribute(this.price, "data-symbol", side.symbol ?? "")
    patchAttribute(this.button, "aria-pressed", String(shown))
  }

  /** @param {LadderSide} side */
  writeLabel({ label, label_at }) {
    const known = label && label !== "none" ? labelOf(label) : null
    patch(this.chip, {
      className: known ? `chip ${label}` : "", textContent: known?.short ?? "",
      title: known ? [known.name, fiveMinutes(label_at)].filter(Boolean).join(", ") : "",
    })
  }

  /** @param {LadderSide} side @param {(symbol: string) => Price | null} priceOf @param {number} market */
  writePrice(side, priceOf, market) {
    const { price, at } = newestPrice(side, side.symbol === null ? null : priceOf(side.symbol))
    const age = price === null || at === null ? NaN : market - at
    patch(this.button, {
      textContent: format.price(price),
      title: `Show ${this.name} alone${priceTime(side, price, at, market)}`,
    })
    patch(this.age, { textContent: age > OLD_SECONDS ? `${format.age(age)} ` : "" })
  }
}

/**
 * Of when a price is. The candle that it closes may still form: then its end is yet to come, and only
 * the ladder knows when its price came.
 * @param {LadderSide} side
 * @param {number | null} price
 * @param {number | null} at end of the interval that it is of
 * @param {number} market
 */
function priceTime(side, price, at, market) {
  if (at === null) return ""
  const came = at > market ? (side.price === price && side.price_at) || null : at
  return came === null ? "; price of the candle that forms" : `; price of ${format.second(came)} IST`
}

/** @param {LadderSide} side @param {string | null} symbol */
const isShown = (side, symbol) => side.symbol !== null && side.symbol === symbol

/** @param {number | null | undefined} end */
const fiveMinutes = (end) => (end ? `five minutes to ${format.minute(end)} IST` : "")

/** @param {string} textContent @param {() => void} run */
function button(textContent, run) {
  const made = element("button", { className: "link", textContent })
  made.type = "button"
  made.onclick = run
  return made
}

/** What else is known of the greeks, where the pointer rests. @param {LadderSide} side */
function greeksTitle({ gamma, theta, vega, greeks_at }) {
  return greeks_at === null ? "" : [
    `at ${format.minute(greeks_at)} IST`, `gamma ${gamma?.toPrecision(3) ?? "–"}`,
    `theta ${format.price(theta)} a day`, `vega ${format.price(vega)} a point`,
  ].join("\n")
}
