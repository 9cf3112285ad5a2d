/** @import { Equity } from "../data/types.js" */
import { element } from "../lib/dom.js"
import * as format from "../lib/format.js"
import { shape } from "../lib/svg.js"

const WIDTH = 320
const HEIGHT = 70

/**
 * What one unit in every signal came to, session by session, beside its random entries.
 * @param {Equity[]} sessions ascending, at least one
 */
export function drawEquity(sessions) {
  const ours = [0, ...sessions.map((one) => one.equity_points)]
  const chance = [0, ...sessions.map((one) => one.random_equity_points)]
  const drawn = sessions.some((one) => one.matched_n > 0)
  const all = drawn ? [...ours, ...chance] : ours
  const [low, high] = [Math.min(...all), Math.max(...all)]
  /** @param {number} value */
  const up = (value) => HEIGHT - 2 - ((value - low) / (high - low || 1)) * (HEIGHT - 4)
  /** @param {number[]} values */
  const path = (values) => values.map((value, i) =>
    `${i ? "L" : "M"}${(i / sessions.length) * WIDTH} ${up(value)}`).join("")

  const svg = shape("svg", {
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img",
  })
  const last = sessions[sessions.length - 1]
  svg.setAttribute("aria-label", `Equity over ${sessions.length} sessions: ` +
    `${format.signedPrice(last.equity_points)} points` +
    (drawn ? `, random entries ${format.signedPrice(last.random_equity_points)}` : ""))
  svg.append(shape("line", { class: "zero", x1: 0, x2: WIDTH, y1: up(0), y2: up(0) }))
  if (drawn) svg.append(shape("path", { class: "chance", d: path(chance) }))
  svg.append(shape("path", { class: "ours", d: path(ours) }))
  const figure = element("figure", { className: "equity", testId: "equity" })
  const caption = element("figcaption")
  caption.append(
    element("span", { textContent: "Equity, points, by session" }),
    element("i", { textContent: `signals ${format.signedPrice(last.equity_points)}` }),
    ...(drawn ? [element("i", {
      className: "line",
      textContent: `random entries ${format.signedPrice(last.random_equity_points)}`,
    })] : []))
  const axis = element("div", { className: "axis" })
  axis.append(
    element("span", { textContent: sessions[0].session }),
    element("span", { textContent: last.session }))
  figure.append(caption, svg, axis)
  return figure
}
