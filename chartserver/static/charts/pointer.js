/** @import { Candle } from "../data/types.js" */
/** @import { PriceChart } from "./chart.js" */

/**
 * Share the crosshair: the chart under the pointer leads, the others show the same time. A pointer
 * that rests means another time once its chart has moved under it, so `refresh` asks again where it
 * stands.
 * @param {PriceChart[]} charts
 * @param {(time: number | null) => void} onTime the time under the crosshair
 */
export function sharePointer(charts, onTime) {
  let leader = charts[0]
  /** Where the pointer is on it, in pixels; null when it is elsewhere. @type {number | null} */
  let place = null
  /** @type {number | null} */
  let told = null

  /** @param {number | null} time */
  function tell(time) {
    told = time
    for (const other of charts) if (other !== leader) point(other, time)
    onTime(time)
  }

  function forget() {
    place = null
    tell(null)
  }

  /**
   * Another chart leads: what the last one pointed at counts no more, whether or not the pointer is
   * over the candles of this one. The last one's own leaving is told only after this.
   * @param {PriceChart} chart
   */
  function lead(chart) {
    if (leader === chart) return
    const before = leader
    leader = chart
    point(before, null)
    forget()
  }
  for (const chart of charts) {
    const element = chart.chart.chartElement()
    for (const kind of ["pointerenter", "pointerdown", "touchstart"])
      element.addEventListener(kind, () => lead(chart), { capture: true, passive: true })
    // A finger that is lifted leaves too, and its crosshair stays.
    element.addEventListener("pointerleave", (event) => {
      if (leader === chart && event.pointerType === "mouse") forget()
    })
    chart.chart.subscribeCrosshairMove((move) => {
      // Only a pointer leads; the moves we make ourselves have no source event.
      if (move.sourceEvent === undefined && move.point !== undefined) return
      if (leader !== chart) return
      place = move.point?.x ?? null
      tell(move.time === undefined || place === null ? null : Number(move.time))
    })
  }
  return {
    /** Look what time the resting pointer means, after the charts were painted. */
    refresh() {
      if (place === null) return
      const time = leader.chart.timeScale().coordinateToTime(place)
      const next = time === null ? null : Number(time)
      if (next !== told) tell(next)
    },
  }
}

/**
 * Put a chart's crosshair on a time, at the close of its candle there.
 * @param {PriceChart} chart
 * @param {number | null} time
 */
function point(chart, time) {
  const bar = time === null ? null : barBefore(chart.bars, time)
  if (time === null || !bar) chart.chart.clearCrosshairPosition()
  else chart.chart.setCrosshairPosition(bar.c, /** @type {any} */ (time), chart.series)
}

/**
 * The candle at a time or the last one before it.
 * @param {readonly Candle[]} bars ascending
 * @param {number} time
 */
export function barBefore(bars, time) {
  let low = 0
  let high = bars.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (bars[middle].t <= time) low = middle + 1
    else high = middle
  }
  return bars[low - 1] ?? null
}

/**
 * The candle of a time; null where there is none.
 * @param {readonly Candle[]} bars ascending
 * @param {number} time
 */
export function barOf(bars, time) {
  const bar = barBefore(bars, time)
  return bar?.t === time ? bar : null
}
