/** @import { BuildUpColumns, CandleColumns, HistoryAnswer } from "./types.js" */
/** @import { Market } from "./market.js" */
import { upperBound } from "../lib/search.js"

/**
 * A recorded range, in the order in which its rows became known. At time t the market holds the
 * rows with `known_at <= t` and no others, whichever way t was reached.
 */
export class Tape {
  /**
   * @param {HistoryAnswer} answer of /api/replay
   * @param {Market} market filled by the tape
   */
  constructor(answer, market) {
    this.answer = answer
    this.market = market
    this.now = -Infinity
    const shown = Object.values(answer.symbols).filter((symbol) => symbol !== null)
    const withdrawn = answer.signals.filter((signal) => signal.withdrawn)
    this.tracks = [
      ...pick(answer.candles, shown).map(([symbol, rows]) =>
        new Track(rows.k ?? rows.t, (places, whole) =>
          this.playCandles(symbol, rows, places, whole))),
      ...pick(answer.build_ups, shown).map(([symbol, rows]) =>
        new Track(rows.k ?? rows.t, (places, whole) =>
          this.playBuildUps(symbol, rows, places, whole))),
      new Track(answer.signals.map((signal) => signal.known_at), (places) => {
        // A signal stood until it was taken back.
        for (const place of places) market.putSignal({ ...answer.signals[place], withdrawn: false })
      }),
      new Track(withdrawn.map((signal) => signal.withdrawn_at ?? signal.known_at), (places) => {
        for (const place of places) market.putSignal(withdrawn[place])
      }),
    ]
  }

  /**
   * Jump: the market is built anew.
   * @param {number} time
   */
  seek(time) {
    this.market.load(this.answer, false)
    for (const track of this.tracks) track.place = 0
    this.now = time
    for (const track of this.tracks) track.play(time, true)
  }

  /**
   * Move forward: only rows that became known since are added.
   * @param {number} time
   * @returns {boolean} whether there were any
   */
  advance(time) {
    if (time < this.now) {
      this.seek(time)
      return true
    }
    this.now = time
    return this.tracks.map((track) => track.play(time, false)).includes(true)
  }

  /**
   * @param {string} symbol
   * @param {CandleColumns} rows
   * @param {number[]} places
   * @param {boolean} whole
   */
  playCandles(symbol, rows, places, whole) {
    const table = this.market.candles.get(symbol)
    if (!table) return
    if (whole) return table.load(choose(rows, places), table.minutes)
    for (const i of places)
      table.put({
        t: rows.t[i], o: rows.o[i], h: rows.h[i], l: rows.l[i], c: rows.c[i],
        v: rows.v?.[i] ?? null, oi: rows.oi?.[i] ?? null, final: true,
      })
  }

  /**
   * @param {string} symbol
   * @param {BuildUpColumns} rows
   * @param {number[]} places
   * @param {boolean} whole
   */
  playBuildUps(symbol, rows, places, whole) {
    const table = this.market.buildUps.get(symbol)
    if (!table) return
    if (whole) return table.load(choose(rows, places))
    for (const i of places)
      table.put({
        t: rows.t[i], close: rows.close[i], oi: rows.oi[i], oi_change: rows.oi_change[i],
        volume: rows.volume[i], label: rows.label[i],
      })
  }
}

/** The rows of one series by the time they became known. */
class Track {
  /**
   * @param {number[]} known one per row
   * @param {(places: number[], whole: boolean) => void} deliver rows, ascending by place
   */
  constructor(known, deliver) {
    this.deliver = deliver
    this.place = 0
    this.order = known.map((_, i) => i)
    // Rows usually became known in their own order; late ones are put where they belong.
    if (known.some((time, i) => i > 0 && time < known[i - 1]))
      this.order.sort((a, b) => known[a] - known[b] || a - b)
    this.known = this.order.map((i) => known[i])
  }

  /**
   * @param {number} time
   * @param {boolean} whole
   */
  play(time, whole) {
    const end = upperBound(this.known, time)
    if (end === this.place && !whole) return false
    const places = this.order.slice(this.place, end).sort((a, b) => a - b)
    this.place = end
    this.deliver(places, whole)
    return true
  }
}

/**
 * @template T
 * @param {Record<string, T>} series
 * @param {string[]} symbols
 */
const pick = (series, symbols) =>
  Object.entries(series).filter(([symbol]) => symbols.includes(symbol))

/**
 * The same columns with some rows only.
 * @template {object} T
 * @param {T} columns
 * @param {number[]} places
 * @returns {T}
 */
function choose(columns, places) {
  const chosen = Object.entries(columns).map(([name, values]) => [
    name, Array.isArray(values) ? places.map((place) => values[place]) : values,
  ])
  return Object.fromEntries(chosen)
}

/**
 * The same answer with the call and put of another strike on show, when it brought their rows.
 * @param {HistoryAnswer} answer
 * @param {number | null} strike null for the one at the money
 * @returns {HistoryAnswer | null}
 */
export function withStrike(answer, strike) {
  const wanted = strike ?? answer.atm_strike
  const { call, put } = answer.symbols
  if (wanted === null || !call || !put) return null
  const symbols = {
    ...answer.symbols,
    call: call.replace(/\d+$/, String(wanted)),
    put: put.replace(/\d+$/, String(wanted)),
  }
  return answer.candles[symbols.call] && answer.candles[symbols.put] ? { ...answer, symbols } : null
}
