/** @import { Candle } from "./types.js" */
/** @import { CandleTable } from "./candles.js" */
import { lowerBound } from "../lib/search.js"

/** 09:15 IST, the anchor of every bucket, as seconds after midnight UTC. */
export const ANCHOR = 13_500
export const INTERVALS = /** @type {const} */ ({ "1m": 1, "5m": 5, "15m": 15, "1h": 60 })

/** @typedef {keyof typeof INTERVALS} Interval */

/**
 * Start of the bucket that holds a time.
 * @param {number} time
 * @param {number} minutes
 */
export function bucketOf(time, minutes) {
  const width = minutes * 60
  return Math.floor((time - ANCHOR) / width) * width + ANCHOR
}

/**
 * Candles of a coarser interval, from the bucket that holds `from` on. A bucket that still lacks
 * candles is returned as it stands.
 * @param {CandleTable} table
 * @param {number} minutes
 * @param {number} [from]
 * @returns {Candle[]}
 */
export function aggregate(table, minutes, from = -Infinity) {
  const { t, o, h, l, c, v, oi, final } = table
  /** @type {Candle[]} */
  const bars = []
  const first = from === -Infinity ? 0 : lowerBound(t, bucketOf(from, minutes))
  /** @type {Candle | null} */
  let bar = null
  for (let i = first; i < t.length; i++) {
    const start = bucketOf(t[i], minutes)
    if (bar === null || bar.t !== start) {
      bar = { t: start, o: o[i], h: h[i], l: l[i], c: c[i], v: v[i], oi: oi[i], final: final[i] }
      bars.push(bar)
      continue
    }
    bar.h = Math.max(bar.h, h[i])
    bar.l = Math.min(bar.l, l[i])
    bar.c = c[i]
    bar.v = v[i] === null ? bar.v : (bar.v ?? 0) + /** @type {number} */ (v[i])
    bar.oi = oi[i] ?? bar.oi
    bar.final = bar.final && final[i]
  }
  return bars
}
