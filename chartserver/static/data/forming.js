/** @import { Candle, CandleColumns } from "./types.js" */
import { lowerBound, upperBound } from "../lib/search.js"

/**
 * How the candles of one symbol formed, where it was kept: a candle's state counts from when it was
 * known until the next one, and no more once the candle was final.
 */
export class Forming {
  /**
   * @param {CandleColumns | undefined} states ascending by `k`
   * @param {CandleColumns} rows the final candles
   */
  constructor(states, rows) {
    this.states = states ?? { t: [], o: [], h: [], l: [], c: [], k: [] }
    /** @type {Map<number, number[]>} places of each candle's states */
    const places = new Map()
    this.states.t.forEach((t, i) => {
      const own = places.get(t)
      if (own) own.push(i)
      else places.set(t, [i])
    })
    const { k: known = [] } = this.states
    /** Candles by open time, each with its states and when it was final. */
    this.candles = [...places].sort(([a], [b]) => a - b).map(([t, own]) => {
      const row = lowerBound(rows.t, t)
      const final = rows.t[row] === t ? (rows.k ?? rows.t)[row] : Infinity
      return { t, own, known: own.map((i) => known[i]), final }
    })
    /** Open times. */
    this.times = this.candles.map((candle) => candle.t)
  }

  /**
   * The candles that were forming at a time, ascending, each as it was then.
   * @param {number} time
   * @returns {(Candle & {place: number})[]}
   */
  at(time) {
    const { states } = this
    /** @type {(Candle & {place: number})[]} */
    const found = []
    for (let i = upperBound(this.times, time) - 1; i >= 0; i--) {
      const { t, own, known, final } = this.candles[i]
      const place = final <= time ? undefined : own[upperBound(known, time) - 1]
      if (place !== undefined)
        found.push({
          t, o: states.o[place], h: states.h[place], l: states.l[place], c: states.c[place],
          v: states.v?.[place] ?? null, oi: null, final: false, place,
        })
    }
    return found.reverse()
  }
}
