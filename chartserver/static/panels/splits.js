/** @import { Split } from "../data/types.js" */
import { element } from "../lib/dom.js"
import * as format from "../lib/format.js"

const NAMES = /** @type {Record<string, string>} */ ({
  time: "Time of day", expiry: "Days to expiry", volatility: "Implied volatility",
})
const NOTHING = "\u2013"

/** `Time of day`. @param {string} by */
export const splitName = (by) => NAMES[by] ?? by

/**
 * A version's signals by parts, each with its n.
 * @param {Split[]} parts
 * @param {string} by
 */
export function splitTable(parts, by) {
  const table = element("table", { className: "splits", testId: "splits" })
  const heads = [splitName(by), "n", "Hit", "Mean", "Median", "Won/lost", "Less random"]
  table.createTHead().insertRow().append(...heads.map((textContent, i) =>
    element("th", { textContent, className: i ? "num" : "" })))
  const body = table.createTBody()
  for (const part of parts) {
    const row = body.insertRow()
    /** @param {string} textContent @param {string} [tone] */
    const cell = (textContent, tone = "") =>
      row.append(element("td", { textContent, className: `num ${tone}` }))
    row.append(element("td", { textContent: part.part }))
    cell(format.count(part.n))
    cell(`${(part.hit_rate * 100).toFixed(0)}%`)
    cell(format.signedPrice(part.mean_return_points), format.tone(part.mean_return_points))
    cell(format.signedPrice(part.median_return_points))
    cell(part.profit_factor === null ? NOTHING : part.profit_factor.toFixed(2))
    cell(part.difference_points === null ? NOTHING
      : `${format.signedPrice(part.difference_points)} (n = ${format.count(part.matched_n)})`)
  }
  return table
}
