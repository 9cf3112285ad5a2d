/** @import { WalkForward } from "../data/sweeps.js" */
import { element } from "../lib/dom.js"
import * as format from "../lib/format.js"
import { shape } from "../lib/svg.js"

const WIDTH = 640
const HEIGHT = 160

/**
 * The equity of a walk-forward, over the band in which 95 % of choices at random lie.
 * @param {WalkForward} walk
 */
export function drawWalkEquity({ judged, windows, total_points: total }) {
  const values = judged.flatMap((one) => [one.total_points, one.luck_low, one.luck_high])
  const least = Math.min(0, ...values)
  const span = Math.max(0, ...values) - least || 1
  // Before the first judged session everybody has nothing.
  /** @param {number} place */
  const across = (place) => ((place + 1) / judged.length) * WIDTH
  /** @param {number} points */
  const up = (points) => HEIGHT - 4 - ((points - least) / span) * (HEIGHT - 8)
  /** @param {(one: WalkForward["judged"][number]) => number} of */
  const path = (of) => judged.map((one, place) => `L${across(place)} ${up(of(one))}`).join("")
  const start = `M0 ${up(0)}`
  const back = [...judged].reverse().map((one, place) =>
    `L${across(judged.length - 1 - place)} ${up(one.luck_low)}`).join("")

  const svg = shape("svg", {
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img",
  })
  const last = judged[judged.length - 1]
  svg.setAttribute("aria-label",
    `Walk-forward equity over ${judged.length} sessions: ${format.signedPrice(total)} points at the ` +
    `end; 95 % of choices at random end between ${format.signedPrice(last.luck_low)} and ` +
    `${format.signedPrice(last.luck_high)}`)
  svg.append(
    shape("path", { class: "band", d: `${start}${path((one) => one.luck_high)}${back}Z` }),
    shape("path", { class: "chance", d: start + path((one) => one.luck_median) }))
  for (const { number } of windows.slice(1)) {
    const place = judged.findIndex((one) => one.number === number)
    const x = across(place - 1)
    svg.append(shape("line", { class: "border", x1: x, x2: x, y1: 0, y2: HEIGHT }))
  }
  svg.append(
    shape("line", { class: "zero", x1: 0, x2: WIDTH, y1: up(0), y2: up(0) }),
    shape("path", { class: "ours", d: start + path((one) => one.total_points) }))
  judged.forEach((one, place) => {
    const x = across(place - 1)
    svg.append(shape("rect", { class: "hover", x, width: WIDTH / judged.length, y: 0, height: HEIGHT },
      `${format.dateText(one.session)}: ${format.signedPrice(one.points)} in ${one.entered} trades, ` +
      `${format.signedPrice(one.total_points)} so far; at random ` +
      `${format.signedPrice(one.luck_low)} to ${format.signedPrice(one.luck_high)}`))
  })

  const figure = element("figure", { className: "histogram walk-equity", testId: "equity" })
  const caption = element("figcaption")
  caption.append(
    element("span", { textContent: `Points, ${format.signedPrice(least)} to ${format.signedPrice(least + span)}` }),
    element("i", { className: "ours", textContent: "chosen" }),
    element("i", { className: "band", textContent: "at random, 95 %" }))
  const axis = element("div", { className: "axis" })
  axis.append(
    element("span", { textContent: format.dateText(judged[0].session) }),
    element("span", { textContent: format.dateText(last.session) }))
  figure.append(caption, svg, axis)
  return figure
}
