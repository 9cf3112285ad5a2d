/** @import { PriceChart } from "./chart.js" */

/**
 * Tie charts together in time: the one under the pointer leads, the others follow its visible
 * range and its crosshair. They share one time axis, so places on it are the same everywhere.
 * @param {PriceChart[]} charts
 * @param {(time: number | null) => void} onTime the time under the crosshair
 */
export function synchronise(charts, onTime) {
  let leader = charts[0]
  let asked = false
  // While a candle is being added a chart tells of a range that it leaves at once, so the range is
  // read when the page has finished drawing.
  const followSoon = () => {
    if (asked) return
    asked = true
    queueMicrotask(() => {
      asked = false
      const range = leader.chart.timeScale().getVisibleLogicalRange()
      if (range) for (const chart of charts) if (chart !== leader) follow(chart, range)
    })
  }
  for (const chart of charts) {
    const element = chart.chart.chartElement()
    for (const kind of ["pointerenter", "pointerdown", "wheel", "touchstart"])
      element.addEventListener(kind, () => (leader = chart), { capture: true, passive: true })
    chart.chart.timeScale().subscribeVisibleLogicalRangeChange(() => {
      if (leader === chart) followSoon()
    })
    chart.chart.subscribeCrosshairMove((move) => {
      // Only a pointer leads; the moves we make ourselves have no source event.
      if (move.sourceEvent === undefined && move.point !== undefined) return
      if (leader !== chart) return
      const time = move.time === undefined || move.point === undefined ? null : Number(move.time)
      for (const other of charts) if (other !== chart) point(other, time)
      onTime(time)
    })
  }
}

/**
 * Ranges asked for; a chart applies them when it paints.
 * @type {WeakMap<PriceChart, {from: number, to: number}>}
 */
const wanted = new WeakMap()

/**
 * @param {PriceChart} chart
 * @param {{from: number, to: number}} range
 */
function follow(chart, range) {
  const scale = chart.chart.timeScale()
  if (isNear(scale.getVisibleLogicalRange(), range) && !wanted.has(chart)) return
  if (isNear(wanted.get(chart) ?? null, range)) return
  wanted.set(chart, range)
  requestAnimationFrame(() => requestAnimationFrame(() => {
    if (wanted.get(chart) === range) wanted.delete(chart)
  }))
  scale.setVisibleLogicalRange(range)
}

/**
 * @param {{from: number, to: number} | null} one
 * @param {{from: number, to: number}} other
 */
const isNear = (one, other) =>
  one !== null && Math.abs(one.from - other.from) < 0.01 && Math.abs(one.to - other.to) < 0.01

/**
 * Put a chart's crosshair on a time, at the close of its candle there.
 * @param {PriceChart} chart
 * @param {number | null} time
 */
function point(chart, time) {
  const bar = time === null ? null : barAt(chart, time)
  if (time === null || !bar) chart.chart.clearCrosshairPosition()
  else chart.chart.setCrosshairPosition(bar.c, /** @type {any} */ (time), chart.series)
}

/**
 * The candle at a time or the last one before it.
 * @param {PriceChart} chart
 * @param {number} time
 */
export function barAt({ bars }, time) {
  let low = 0
  let high = bars.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (bars[middle].t <= time) low = middle + 1
    else high = middle
  }
  return bars[low - 1] ?? null
}
