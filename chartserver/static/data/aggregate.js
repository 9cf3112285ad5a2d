/** @import { Candle } from "./types.js" */
/** @import { CandleTable } from "./candles.js" */
/** @import { Hours } from "./hours.js" */
import { lowerBound } from "../lib/search.js"

export const INTERVALS = /** @type {const} */ ({ "1m": 1, "3m": 3, "5m": 5, "15m": 15, "1h": 60 })

/** @typedef {keyof typeof INTERVALS} Interval */

/** The URL's name of an interval. @param {number} minutes */
export const intervalName = (minutes) => (minutes === 60 ? "1h" : `${minutes}m`)

/**
 * Candles of a coarser interval, from the bucket that holds `from` on. A bucket that still lacks
 * candles is returned as it stands; one with an unknown volume has none.
 * @param {CandleTable} table
 * @param {number} minutes
 * @param {Hours} hours
 * @param {number} [from]
 * @returns {Candle[]}
 */
export function aggregate(table, minutes, hours, from = -Infinity) {
  const { t, o, h, l, c, v, oi, final } = table
  /** @type {Candle[]} */
  const bars = []
  const first = from === -Infinity ? 0 : lowerBound(t, hours.bucketOf(from, minutes))
  /** @type {Candle | null} */
  let bar = null
  for (let i = first; i < t.length; i++) {
    const start = hours.bucketOf(t[i], minutes)
    if (bar === null || bar.t !== start) {
      bar = { t: start, o: o[i], h: h[i], l: l[i], c: c[i], v: v[i], oi: oi[i], final: final[i] }
      bars.push(bar)
      continue
    }
    bar.h = Math.max(bar.h, h[i])
    bar.l = Math.min(bar.l, l[i])
    bar.c = c[i]
    bar.v = bar.v === null || v[i] === null ? null : bar.v + /** @type {number} */ (v[i])
    bar.oi = oi[i] ?? bar.oi
    bar.final = bar.final && final[i]
  }
  return bars
}
