/** @import { BuildUp, Candle, PreviousDay, Role } from "../data/types.js" */
/** @import { BuildUpTable } from "../data/buildups.js" */
/** @import { Hours } from "../data/hours.js" */
import { nearestStrike } from "../data/atm.js"
import { BUILD_UP_SECONDS, labelOf } from "../data/buildups.js"
import { longName, parseOption } from "../data/symbols.js"
import { element, setText } from "../lib/dom.js"
import * as format from "../lib/format.js"
import { barOf } from "./pointer.js"

const NAMES = { index: "Index", call: "Call", put: "Put" }

/**
 * What a legend says is made from.
 * @typedef {object} LegendInput
 * @property {string} symbol
 * @property {number | null} spot
 * @property {readonly number[]} strikes listed ones
 * @property {readonly Candle[]} bars as displayed
 * @property {number | null} pointed time under the crosshair; null for the newest candle
 * @property {BuildUpTable | null} buildUps
 * @property {PreviousDay | null} previous
 * @property {Hours} hours
 */

/**
 * The two lines above a chart: what it shows and its latest price; then the candle under the
 * crosshair, or the newest one.
 * @param {HTMLElement} container
 * @param {Role} role
 */
export function createLegend(container, role) {
  const tag = element("span", { className: `tag tag-${role}`, textContent: NAMES[role] })
  const name = element("h2", { className: "instrument" })
  const note = element("span", { className: "moneyness" })
  const last = element("span", { className: "last", testId: `last-${role}` })
  const change = element("span", { className: "change", testId: `change-${role}` })
  const opened = element("span", { className: "change opened" })
  const values = element("div", { className: "values", testId: `values-${role}` })
  const top = element("div", { className: "heading" })
  top.append(tag, name, note, last, change, opened)
  container.append(top, values)
  let described = ""

  /** @param {LegendInput} input */
  function showTitle({ symbol, spot, strikes }) {
    const option = parseOption(symbol)
    const future = symbol.endsWith("1!")
    setText(tag, future ? "Future" : NAMES[role])
    setText(name, option ? `${format.count(option.strike)} ${option.kind}` : symbol || "\u2013")
    const atm = spot === null ? null : nearestStrike(spot, strikes)
    setText(note, option ? `${moneyness(symbol, atm)}${format.dateText(option.expiry).slice(0, -5)}` : "")
    name.title = symbol ? `${longName(symbol)} (${symbol})` : ""
  }

  /** @param {LegendInput} input */
  function showPrice({ bars, previous, hours }) {
    const newest = bars[bars.length - 1]
    setText(last, newest ? format.price(newest.c) : "\u2013")
    const open = sessionOpen(bars, hours)
    const moved = newest && previous ? newest.c - previous.close : null
    setText(change, moved === null || !previous ? ""
      : `${format.signedPrice(moved)}  ${format.percent(moved / previous.close)}`)
    change.className = `change ${format.tone(moved)}`
    change.title = previous
      ? `from the close of ${format.sessionText(previous.session)}, ${format.price(previous.close)}` : ""
    const sinceOpen = newest && open !== null ? newest.c - open : null
    setText(opened, sinceOpen === null ? "" : `open ${format.price(open)} (${format.signedPrice(sinceOpen)})`)
    last.className = `last ${format.tone(moved ?? sinceOpen)}`
  }

  return {
    /** @param {LegendInput} input */
    show(input) {
      showTitle(input)
      showPrice(input)
      const { bars, pointed, buildUps } = input
      const bar = pointed === null ? bars[bars.length - 1] ?? null : barOf(bars, pointed)
      const row = bar && buildUps?.at(bar.t)
      // The interval that still forms has no build-up yet: the last one known stands with its time.
      const last = bar && !row && pointed === null ? buildUps?.rows.at(-1) : null
      const next = JSON.stringify([bar, row, last, pointed])
      if (next === described) return
      described = next
      values.replaceChildren(
        ...(bar ? describe(bar, row ?? null) : describeNothing(pointed)),
        ...(last ? describeLast(last) : []))
    },
  }
}

/** First price of the newest candle's session. @param {readonly Candle[]} bars @param {Hours} hours */
function sessionOpen(bars, hours) {
  if (!bars.length) return null
  const open = hours.openOf(bars[bars.length - 1].t)
  let first = bars.length - 1
  while (first > 0 && bars[first - 1].t >= open) first--
  return bars[first].o
}

/** @param {number | null} time */
function describeNothing(time) {
  if (time === null) return []
  return [
    element("span", { className: "when", textContent: format.minute(time) }),
    element("span", { textContent: "no candle" }),
  ]
}

/**
 * @param {Candle} bar
 * @param {BuildUp | null} row
 */
function describe(bar, row) {
  const parts = [element("span", { className: "when", textContent: format.minute(bar.t) })]
  parts.push(...chipsOf(row))
  const tone = bar.c >= bar.o ? "up" : "down"
  const prices = /** @type {const} */ ([["O", bar.o], ["H", bar.h], ["L", bar.l], ["C", bar.c]])
  parts.push(...prices.map(([key, value]) => pair(key, format.price(value), tone)))
  if (bar.v !== null) parts.push(pair("Vol", format.compact(bar.v)))
  const interest = row?.oi ?? bar.oi
  if (interest != null) parts.push(pair("OI", format.compact(interest)))
  if (row?.oi_change != null) parts.push(pair("\u0394OI 5m", format.signedCompact(row.oi_change)))
  return parts
}

/** What is known of an interval before the one of the candle. @param {BuildUp} row */
function describeLast(row) {
  const span = `${format.minute(row.t)}\u2013${format.minute(row.t + BUILD_UP_SECONDS)}`
  const when = element("span", { className: "when", textContent: span })
  when.append(...chipsOf(row))
  const parts = [when]
  if (row.oi != null) parts.push(pair("OI", format.compact(row.oi)))
  if (row.oi_change != null) parts.push(pair("\u0394OI 5m", format.signedCompact(row.oi_change)))
  return parts
}

/** The label; none where it could not be told. @param {BuildUp | null} row */
function chipsOf(row) {
  if (row === null || row.oi_change == null) return []
  const { name, short, means } = labelOf(row.label)
  const chip = element("span", { className: `chip ${row.label}`, textContent: short || "\u2013" })
  chip.title = `${name} in the five minutes from ${format.minute(row.t)}: ${means}`
  return [chip]
}

/**
 * `ATM`, or on which side of it a contract is, and a separator.
 * @param {string} symbol
 * @param {number | null} atm
 */
function moneyness(symbol, atm) {
  const option = parseOption(symbol)
  if (!option || atm === null) return ""
  if (option.strike === atm) return "ATM \u00b7 "
  const inside = option.strike < atm === (option.letter === "C")
  return inside ? "ITM \u00b7 " : "OTM \u00b7 "
}

/**
 * @param {string} key
 * @param {string} value
 * @param {string} [tone]
 */
function pair(key, value, tone = "") {
  const node = element("span", { className: "pair" })
  node.append(
    element("i", { textContent: key }), element("b", { className: tone, textContent: value }))
  return node
}
