/** @import { Candle } from "./types.js" */
/** @import { CandleTable } from "./candles.js" */
/** @import { Hours } from "./hours.js" */
import { lowerBound } from "../lib/search.js"

/** Minutes of the opening range. */
export const OPENING_MINUTES = 15

/** @typedef {{time: number, value: number | null}} LevelPoint */

/**
 * Exponential means of closes; the first value is a plain mean, so there is none before it.
 * @param {readonly Candle[]} bars
 * @param {number} length candles
 * @returns {LevelPoint[]}
 */
export function exponentialMean(bars, length) {
  const weight = 2 / (length + 1)
  let sum = 0
  /** @type {number | null} */
  let mean = null
  return bars.map(({ t, c }, i) => {
    if (i < length) sum += c
    if (i === length - 1) mean = sum / length
    else if (mean !== null) mean += weight * (c - mean)
    return { time: t, value: mean }
  })
}

/**
 * Volume-weighted mean price of each session, by typical prices of the stored candles, at each
 * candle as displayed. From a candle of unknown volume on the session has none.
 * @param {CandleTable} table
 * @param {readonly Candle[]} bars
 * @param {number} minutes of a displayed candle
 * @param {Hours} hours
 * @returns {LevelPoint[]}
 */
export function sessionVwap(table, bars, minutes, hours) {
  let open = NaN
  let traded = 0
  let volume = 0
  let known = true
  let i = 0
  return bars.map(({ t }) => {
    for (; i < table.length && table.t[i] < t + minutes * 60; i++) {
      const own = hours.openOf(table.t[i])
      if (own !== open) {
        open = own
        traded = volume = 0
        known = true
      }
      const amount = table.v[i]
      if (amount === null) known = false
      else {
        traded += (amount * (table.h[i] + table.l[i] + table.c[i])) / 3
        volume += amount
      }
    }
    return { time: t, value: known && volume > 0 ? traded / volume : null }
  })
}

/**
 * High and low of the first minutes of the newest session; null until they are over.
 * @param {CandleTable} table
 * @param {Hours} hours
 */
export function openingRange(table, hours) {
  if (!table.length) return null
  const open = hours.openOf(table.lastTime)
  const end = open + OPENING_MINUTES * 60
  const from = lowerBound(table.t, open)
  const until = lowerBound(table.t, end)
  if (from === until || table.lastTime < end) return null
  return {
    high: Math.max(...table.h.slice(from, until)), low: Math.min(...table.l.slice(from, until)),
  }
}
