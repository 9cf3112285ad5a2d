/** @import { Distribution } from "../data/types.js" */
import { element } from "../lib/dom.js"
import { shape } from "../lib/svg.js"

const WIDTH = 320
const HEIGHT = 84

/**
 * Returns of signals as bars, of random entries as a line, each as a share of its own number.
 * @param {Distribution} distribution
 * @param {string} when such as "after 15 minutes"
 */
export function drawHistogram({ width, bins }, when) {
  const first = bins[0].from
  const count = Math.round((bins[bins.length - 1].from - first) / width) + 1
  const total = { signals: sum(bins, "signals"), random: sum(bins, "random") }
  const slots = Array.from({ length: count }, (_, i) => {
    const from = first + i * width
    const bin = bins.find((one) => Math.abs(one.from - from) < width / 2)
    return {
      from, signals: bin?.signals ?? 0,
      share: (bin?.signals ?? 0) / Math.max(1, total.signals),
      chance: (bin?.random ?? 0) / Math.max(1, total.random),
    }
  })
  const highest = Math.max(...slots.flatMap(({ share, chance }) => [share, chance]))
  /** @param {number} share */
  const up = (share) => HEIGHT - (share / highest) * (HEIGHT - 4)
  const step = WIDTH / count

  const svg = shape("svg", {
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img",
  })
  svg.setAttribute("aria-label", `Returns ${when} of ${total.signals} signals as bars, ` +
    `${total.random} random entries as a line, from ${first} to ${first + count * width} points`)
  slots.forEach(({ from, share, chance, signals }, i) => {
    const tone = from >= 0 ? "gain" : "loss"
    svg.append(shape("rect", {
      class: tone, x: i * step + 0.5, width: Math.max(step - 1, 0.5), y: up(share),
      height: HEIGHT - up(share),
    }))
    // Over the whole height, so that a bin without signals says so as well.
    const hover = shape("rect", { class: "hover", x: i * step, width: step, y: 0, height: HEIGHT })
    const title = shape("title", {})
    title.textContent = `${points(from)} to ${points(from + width)} points: ${signals} of ` +
      `${total.signals} signals (${percent(share)})` +
      (total.random ? `, random entries ${percent(chance)}` : "")
    hover.append(title)
    svg.append(hover)
  })
  if (total.random)
    svg.append(shape("path", {
      class: "chance",
      d: slots.map(({ chance }, i) =>
        `${i ? "L" : "M"}${i * step} ${up(chance)}H${(i + 1) * step}`).join(""),
    }))
  const zero = -first / width * step
  if (zero > 0 && zero < WIDTH)
    svg.append(shape("line", { class: "zero", x1: zero, x2: zero, y1: 0, y2: HEIGHT }))

  const figure = element("figure", { className: "histogram", testId: "histogram" })
  const axis = element("div", { className: "axis" })
  const ends = element("span", { textContent: points(first) })
  const last = element("span", { textContent: `${points(first + count * width)} points` })
  axis.append(ends, last)
  if (zero > WIDTH * 0.12 && zero < WIDTH * 0.8) {
    const middle = element("span", { className: "origin", textContent: "0" })
    middle.style.left = `${(zero / WIDTH) * 100}%`
    axis.append(middle)
  }
  const caption = element("figcaption")
  caption.append(
    element("span", { textContent: "Returns, points" }),
    element("i", { className: "bars", textContent: "signals" }),
    ...(total.random ? [element("i", { className: "line", textContent: "random entries" })] : []))
  figure.append(caption, svg, axis)
  return figure
}

/** @param {Distribution["bins"]} bins @param {"signals" | "random"} key */
const sum = (bins, key) => bins.reduce((total, bin) => total + bin[key], 0)

/** @param {number} value */
const points = (value) =>
  `${value > 0 ? "+" : value < 0 ? "\u2212" : ""}${Number(Math.abs(value).toFixed(2))}`

/** @param {number} share */
const percent = (share) => `${(share * 100).toFixed(0)} %`
