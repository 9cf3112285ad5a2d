/** @import { CandleReel } from "./reel.js" */
import { upperBound } from "../lib/search.js"
import { calmTarget, nearestStrike } from "./atm.js"

/** How long spot must stay nearer to another strike, in seconds of the market. */
const PATIENCE = 3

/** @typedef {{from: number, strikes: readonly number[]}} Listing strikes listed from a time on */

/**
 * Where a price went: what was its latest candle's close, at each moment at which that changed.
 * @param {CandleReel} reel
 * @returns {{time: number, price: number}[]} ascending
 */
export function pricePath(reel) {
  const { rows, forming } = reel
  const { states } = forming
  const known = rows.k ?? rows.t
  const moments = [
    ...rows.t.map((t, i) => ({ t, time: known[i], price: rows.c[i], final: Infinity })),
    ...forming.candles.flatMap(({ t, own, final }) => own.map((i) =>
      ({ t, time: (states.k ?? states.t)[i], price: states.c[i], final }))),
  ].filter(({ time, final }) => time < final).sort((a, b) => a.time - b.time || a.t - b.t)
  let newest = -Infinity
  // A candle that was healed later changes nothing about what the price is now.
  return moments.filter(({ t }) => t >= newest && ((newest = t), true))
}

/**
 * The strike at the money over a range: changed by the rules of the live page, with the market's
 * clock for a clock, so that it depends on the time alone and not on how that was come to.
 */
export class AtmPath {
  /**
   * @param {readonly {time: number, price: number}[]} prices ascending
   * @param {readonly Listing[]} listings ascending; each session's
   */
  constructor(prices, listings) {
    /** @type {number[]} */ this.times = []
    /** @type {(number | null)[]} */ this.strikes = []
    /** @type {number | null} */
    let strike = null
    /** @type {{strike: number, since: number} | null} */
    let target = null
    /** @type {number | null} */
    let price = null
    /** @type {readonly number[]} */
    let listed = []
    let next = 0

    /** @param {number} time @param {number | null} to */
    const place = (time, to) => {
      target = null
      if (to === strike) return
      strike = to
      this.times.push(time)
      this.strikes.push(to)
    }
    /** @param {number} time */
    const reach = (time) => {
      if (target && target.since + PATIENCE <= time) place(target.since + PATIENCE, target.strike)
    }
    /** @param {number} until */
    const list = (until) => {
      for (; next < listings.length && listings[next].from <= until; next++) {
        const { from, strikes } = listings[next]
        reach(from)
        listed = strikes
        const to = price === null || strike === null ? null : calmTarget(price, listed, strike)
        target = to === null ? null : { strike: to, since: from }
        if (strike === null || !listed.includes(strike))
          place(from, price === null ? null : nearestStrike(price, listed))
      }
    }
    for (const moment of prices) {
      const { time } = moment
      list(time)
      reach(time)
      price = moment.price
      if (strike === null) place(time, nearestStrike(price, listed))
      else {
        const to = calmTarget(price, listed, strike)
        if (to === null) target = null
        else if (target === null || /** @type {any} */ (target).strike !== to)
          target = { strike: to, since: time }
      }
    }
    list(Infinity)
    reach(Infinity)
  }

  /** @param {number} time */
  at(time) {
    return this.strikes[upperBound(this.times, time) - 1] ?? null
  }

  /** Strikes at the money within some time from now. @param {number} time @param {number} until */
  within(time, until) {
    return this.strikes.slice(upperBound(this.times, time), upperBound(this.times, until))
      .filter((strike) => strike !== null)
  }
}
