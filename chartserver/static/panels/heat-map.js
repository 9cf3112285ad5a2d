/** @import { Shown, SweepResult, Value } from "../data/sweeps.js" */
import { measured, nameText, valuesText } from "../data/sweeps.js"
import { byId, element } from "../lib/dom.js"
import * as format from "../lib/format.js"

/** Of the full colour, so that what is written on it stays readable. */
const STRONGEST = 42

/**
 * What a heat map shows.
 * @typedef {object} Plane
 * @property {string} x name of the number across
 * @property {Value[]} columns its values
 * @property {string | null} y name of the number down; null for one row
 * @property {(Value | null)[]} rows
 * @property {SweepResult[]} results of the plane
 * @property {Shown} shown
 * @property {string | null} best version that the sweep would choose
 */

/** @param {Plane} plane */
export function showHeatMap({ x, columns, y, rows, results, shown, best }) {
  const table = byId("heat")
  const found = results.map((one) => measured(one, shown) ?? 0)
  // Hit rates lie around what all together have, points around nothing.
  const entered = results.reduce((sum, one) => sum + one.entered, 0)
  const middle = shown === "hits" && entered
    ? results.reduce((sum, one) => sum + one.hits, 0) / entered : 0
  const reach = Math.max(...found.map((value) => Math.abs(value - middle)), 1e-9)

  const caption = element("caption", {
    className: "unseen",
    textContent: y ? `${nameText(x)} across, ${nameText(y)} down` : `${nameText(x)} across`,
  })
  const head = element("tr")
  const corner = element("th", { className: "corner", textContent: y ? `${nameText(y)} \u2193` : "" })
  corner.append(element("span", { textContent: `${nameText(x)} \u2192` }))
  corner.scope = "col"
  head.append(corner, ...columns.map((value) =>
    Object.assign(element("th", { textContent: String(value), className: "num" }), { scope: "col" })))
  const body = rows.map((row) => {
    const line = element("tr")
    const name = element("th", { textContent: row === null ? "" : String(row) })
    name.scope = "row"
    line.append(name, ...columns.map((column) => {
      const result = results.find(({ values }) =>
        values[x] === column && (y === null || values[y] === row))
      return cell(result, shown, middle, reach, best)
    }))
    return line
  })
  const top = element("thead")
  top.append(head)
  const under = element("tbody")
  under.append(...body)
  table.replaceChildren(caption, top, under)
}

/**
 * @param {SweepResult | undefined} result
 * @param {Shown} shown
 * @param {number} middle
 * @param {number} reach
 * @param {string | null} best
 */
function cell(result, shown, middle, reach, best) {
  const made = element("td", { testId: "heat-cell" })
  if (!result) return made
  const value = measured(result, shown)
  if (value !== null) {
    const share = Math.round((Math.abs(value - middle) / reach) * STRONGEST)
    made.style.setProperty("--share", `${share}%`)
    made.className = value >= middle ? "gain" : "loss"
  }
  if (result.version === best) made.classList.add("best")
  made.append(
    element("b", {
      textContent: shown === "hits" ? share(result.hit_rate)
        : shown === "total" ? format.signedPrice(result.entered ? result.total_return_points : null)
          : format.signedPrice(result.mean_return_points),
    }),
    element("span", {
      textContent: `beside ${format.signedPrice(result.neighbour_mean_points)}`,
      title: "Mean of the combinations one step of one number away",
    }),
    element("small", { textContent: `n ${format.count(result.entered)}` }))
  made.title = `${valuesText(result.values)}: mean ${format.signedPrice(result.mean_return_points)}, ` +
    `total ${format.signedPrice(result.total_return_points)}, hit rate ${share(result.hit_rate)}, ` +
    `${result.entered} of ${result.signals} signals entered, Sharpe ratio by session ` +
    `${format.delta(result.sharpe)}; version ${result.version}` +
    (result.version === best ? "; the best by its sessions" : "")
  return made
}

/** @param {number | null} value */
const share = (value) => (value === null ? "\u2013" : `${(value * 100).toFixed(0)}%`)
