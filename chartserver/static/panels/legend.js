/** @import { BuildUp, Candle, Role } from "../data/types.js" */
/** @import { BuildUpTable } from "../data/buildups.js" */
import { labelOf } from "../data/buildups.js"
import * as format from "../lib/format.js"
import { longName, parseOption } from "../data/symbols.js"
import { element, setText } from "../lib/dom.js"

const NAMES = { index: "Index", call: "Call", put: "Put" }

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
  const change = element("span", { className: "change" })
  const values = element("div", { className: "values", testId: `values-${role}` })
  const top = element("div", { className: "heading" })
  top.append(tag, name, note, last, change)
  container.append(top, values)
  let described = ""

  return {
    /**
     * @param {string | null} symbol
     * @param {string} moneyness such as ATM
     */
    title(symbol, moneyness) {
      const option = parseOption(symbol)
      setText(name, option ? `${format.count(option.strike)} ${option.kind}` : symbol ?? "–")
      setText(note, option ? `${moneyness}${format.dateText(option.expiry).slice(0, -5)}` : "")
      name.title = symbol ? `${longName(symbol)} (${symbol})` : ""
    },
    /**
     * @param {Candle[]} bars
     * @param {Candle | null} bar under the crosshair; null for the newest
     * @param {BuildUpTable | null} buildUps
     */
    show(bars, bar, buildUps) {
      const newest = bars[bars.length - 1]
      setText(last, newest ? format.price(newest.c) : "–")
      const open = sessionOpen(bars)
      const moved = newest && open ? newest.c - open : 0
      setText(change, open ? `${format.signedPrice(moved)}  ${format.percent(moved / open)}` : "")
      change.className = `change ${format.tone(moved)}`
      change.title = "from the session's open"
      last.className = `last ${format.tone(moved)}`
      const shown = bar ?? newest ?? null
      // The interval that still forms has no build-up yet: show the last one known, with its time.
      const row = shown && (buildUps?.at(shown.t) ?? (bar ? null : buildUps?.rows.at(-1))) || null
      const next = JSON.stringify([shown, row])
      if (next === described) return
      described = next
      values.replaceChildren(...(shown ? describe(shown, row) : []))
    },
  }
}

/** First price of the newest candle's session. @param {Candle[]} bars */
function sessionOpen(bars) {
  if (!bars.length) return null
  const day = Math.floor(bars[bars.length - 1].t / 86_400)
  let first = bars.length - 1
  while (first > 0 && Math.floor(bars[first - 1].t / 86_400) === day) first--
  return bars[first].o
}

/**
 * @param {Candle} bar
 * @param {BuildUp | null} row
 */
function describe(bar, row) {
  const parts = [element("span", { className: "when", textContent: format.minute(bar.t) })]
  if (row) parts.push(chipOf(row))
  const tone = bar.c >= bar.o ? "up" : "down"
  const prices = /** @type {const} */ ([["O", bar.o], ["H", bar.h], ["L", bar.l], ["C", bar.c]])
  parts.push(...prices.map(([key, value]) => pair(key, format.price(value), tone)))
  if (bar.v !== null) parts.push(pair("Vol", format.compact(bar.v)))
  const interest = row?.oi ?? bar.oi
  if (interest != null) parts.push(pair("OI", format.compact(interest)))
  if (row?.oi_change != null) parts.push(pair("\u0394OI", format.signedCompact(row.oi_change)))
  return parts
}

/** @param {BuildUp} row */
function chipOf(row) {
  const { name, short, color, means } = labelOf(row.label)
  const chip = element("span", { className: "chip", textContent: short || "\u2013" })
  chip.title = `${name} in the five minutes from ${format.minute(row.t)}: ${means}`
  chip.style.setProperty("--chip", color)
  return chip
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
