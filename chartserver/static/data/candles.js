/** @import { Candle, CandleColumns } from "./types.js" */
import { lowerBound } from "../lib/search.js"

/**
 * All candles of one symbol at the stored interval, ascending by open time. The charts draw from
 * it and never hold data of their own, because a chart refuses changes to older candles.
 */
export class CandleTable {
  constructor() {
    /** Minutes of a candle; 0 until the first one says it. */
    this.minutes = 0
    /** @type {number[]} */ this.t = []
    /** @type {number[]} */ this.o = []
    /** @type {number[]} */ this.h = []
    /** @type {number[]} */ this.l = []
    /** @type {number[]} */ this.c = []
    /** @type {(number | null)[]} */ this.v = []
    /** @type {(number | null)[]} */ this.oi = []
    /** @type {boolean[]} */ this.final = []
    this.changedFrom = Infinity
  }

  get length() {
    return this.t.length
  }

  /** Open time of the newest candle; -Infinity when empty. */
  get lastTime() {
    return this.t.length ? this.t[this.t.length - 1] : -Infinity
  }

  /** Close of the newest candle. */
  get lastClose() {
    return this.c.length ? this.c[this.c.length - 1] : null
  }

  /**
   * Take over whole columns.
   * @param {CandleColumns} columns
   * @param {number} minutes
   */
  load(columns, minutes) {
    const { length } = columns.t
    this.minutes = minutes
    this.t = columns.t.slice()
    this.o = columns.o.slice()
    this.h = columns.h.slice()
    this.l = columns.l.slice()
    this.c = columns.c.slice()
    this.v = columns.v?.slice() ?? new Array(length).fill(null)
    this.oi = columns.oi?.slice() ?? new Array(length).fill(null)
    this.final = columns.final?.slice() ?? new Array(length).fill(true)
    this.changedFrom = -Infinity
  }

  /**
   * Insert a candle or replace the one of the same open time.
   * @param {Candle} candle
   */
  put(candle) {
    const place = candle.t > this.lastTime ? this.length : lowerBound(this.t, candle.t)
    const replaced = this.t[place] === candle.t ? 1 : 0
    this.t.splice(place, replaced, candle.t)
    this.o.splice(place, replaced, candle.o)
    this.h.splice(place, replaced, candle.h)
    this.l.splice(place, replaced, candle.l)
    this.c.splice(place, replaced, candle.c)
    this.v.splice(place, replaced, candle.v ?? null)
    this.oi.splice(place, replaced, candle.oi ?? null)
    this.final.splice(place, replaced, candle.final)
    this.changedFrom = Math.min(this.changedFrom, candle.t)
  }

  /**
   * Add rows of columns at the end.
   * @param {CandleColumns} columns
   * @param {number} from
   * @param {number} until place after the last
   */
  extend(columns, from, until) {
    if (from < until) this.changedFrom = Math.min(this.changedFrom, columns.t[from])
    for (let i = from; i < until; i++) {
      this.t.push(columns.t[i])
      this.o.push(columns.o[i])
      this.h.push(columns.h[i])
      this.l.push(columns.l[i])
      this.c.push(columns.c[i])
      this.v.push(columns.v?.[i] ?? null)
      this.oi.push(columns.oi?.[i] ?? null)
      this.final.push(columns.final?.[i] ?? true)
    }
  }

  /** Keep only so many candles from the first on. @param {number} length */
  cut(length) {
    if (length >= this.length) return
    this.changedFrom = Math.min(this.changedFrom, this.t[length])
    for (const column of [this.t, this.o, this.h, this.l, this.c, this.v, this.oi, this.final])
      column.length = length
  }

  /** Return the open time from which candles changed since the last call; Infinity for none. */
  takeChange() {
    const from = this.changedFrom
    this.changedFrom = Infinity
    return from
  }
}
