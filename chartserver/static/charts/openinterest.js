/** @import { UTCTimestamp } from "lightweight-charts" */
/** @import { Candle } from "../data/types.js" */
/** @import { BuildUpTable } from "../data/buildups.js" */
/** @import { TimeGrid } from "../data/grid.js" */
import { BUILD_UP_SECONDS } from "../data/buildups.js"
import { lowerBound } from "../lib/search.js"

/** @typedef {{time: UTCTimestamp, value: number}} Point */

/**
 * Open interest over time, from a time on: what the candles carry and, over it, what the build-ups
 * say at their end. It is drawn on the last candle of the five minutes, where it became true.
 * @param {Candle[]} bars candles as displayed
 * @param {BuildUpTable | null} buildUps
 * @param {TimeGrid} grid
 * @param {number} [from]
 * @returns {Point[]}
 */
export function openInterest(bars, buildUps, grid, from = -Infinity) {
  /** @type {Map<number, number>} */
  const values = new Map()
  for (const bar of bars) if (bar.t >= from && bar.oi !== null) values.set(bar.t, bar.oi)
  const rows = buildUps?.rows ?? []
  const first = from === -Infinity ? 0 : lowerBound(buildUps?.t ?? [], from - BUILD_UP_SECONDS)
  for (let i = first; i < rows.length; i++) {
    const place = grid.placeOf(rows[i].t + BUILD_UP_SECONDS - 1)
    const time = grid.times[place]
    const { oi } = rows[i]
    if (oi !== null && time >= from) values.set(time, oi)
  }
  return [...values]
    .sort(([a], [b]) => a - b)
    .map(([time, value]) => ({ time: /** @type {UTCTimestamp} */ (time), value }))
}
