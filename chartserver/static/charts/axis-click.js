/** @import { PriceChart } from "./chart.js" */
/** @import { TimeGrid } from "../data/grid.js" */

/** Pixels that a press may wander and still be a click: more is a drag, which scales the axis. */
const STILL = 4

/**
 * Tell of clicks on the charts' time axes.
 * @param {PriceChart[]} charts
 * @param {() => TimeGrid} grid
 * @param {(time: number) => void} onTime the time there; right of the newest candle it is later
 */
export function listenToAxis(charts, grid, onTime) {
  for (const { chart } of charts) {
    const element = chart.chartElement()
    let pressed = { x: NaN, y: NaN }
    element.addEventListener("pointerdown", ({ clientX: x, clientY: y }) => (pressed = { x, y }), {
      capture: true, passive: true,
    })
    element.addEventListener("click", ({ clientX: x, clientY: y }) => {
      if (!(Math.hypot(x - pressed.x, y - pressed.y) < STILL)) return
      const { left, bottom } = element.getBoundingClientRect()
      const scale = chart.timeScale()
      if (y < bottom - scale.height() || x - left > scale.width()) return
      const place = scale.coordinateToLogical(x - left)
      const time = place === null ? null : timeAt(grid(), place + grid().first)
      if (time !== null) onTime(time)
    }, { capture: true })
  }
}

/**
 * The time at a place of the axis; null left of the first.
 * @param {TimeGrid} grid
 * @param {number} place
 */
export function timeAt({ times, minutes }, place) {
  const last = times.length - 1
  if (last < 0 || place < -0.5) return null
  const whole = Math.round(place)
  return whole <= last ? times[Math.max(0, whole)] : times[last] + (whole - last) * minutes * 60
}
