/** @import { BuildUpColumns, Candle, CandleColumns } from "./types.js" */
import { lowerBound, upperBound } from "../lib/search.js"
import { BuildUpTable, rowsOf } from "./buildups.js"
import { CandleTable } from "./candles.js"
import { Forming } from "./forming.js"

/** So many rows that became known out of order are put in one by one; more are laid out anew. */
const FEW = 20

/**
 * Rows of one series by the time at which they became known. Nearly always that is their own order,
 * and what was known at a time is then so many rows from the first on.
 */
export class Order {
  /** @param {readonly number[]} known one per row */
  constructor(known) {
    this.places = known.map((_, i) => i)
    this.inOrder = known.every((time, i) => i === 0 || time >= known[i - 1])
    if (!this.inOrder) this.places.sort((a, b) => known[a] - known[b] || a - b)
    /** Ascending. */
    this.known = this.inOrder ? known : this.places.map((i) => known[i])
  }

  /** How many rows were known. @param {number} time */
  count(time) {
    return upperBound(this.known, time)
  }

  /** Places of the first rows that became known, ascending. @param {number} from @param {number} until */
  between(from, until) {
    return this.places.slice(from, until).sort((a, b) => a - b)
  }

  /** The next moment at which a row became known; Infinity for none. @param {number} time */
  after(time) {
    return this.known[upperBound(this.known, time)] ?? Infinity
  }

  /** The last moment before a time; -Infinity for none. @param {number} time */
  before(time) {
    return this.known[lowerBound(this.known, time) - 1] ?? -Infinity
  }
}

/** The candles of one symbol, and a table of those that were known at a time. */
export class CandleReel {
  /**
   * @param {CandleColumns} rows final ones
   * @param {CandleColumns | undefined} states of candles while they formed
   */
  constructor(rows, states) {
    this.rows = rows
    this.order = new Order(rows.k ?? rows.t)
    this.forming = new Forming(states, rows)
    this.table = new CandleTable()
    this.table.minutes = rows.minutes ?? 1
    /** Final rows in the table. */
    this.place = 0
    /** Forming candles at the end of the table, as text. */
    this.formed = ""
    /** Whether the table is rows from the first on, and forming candles after them. */
    this.plain = true
  }

  /** Let the table hold what was known, and nothing else. @param {number} time */
  play(time) {
    const { table, rows, order } = this
    const place = order.count(time)
    const forming = this.forming.at(time)
    const formed = forming.map((candle) => `${candle.t} ${candle.place}`).join()
    if (place === this.place && formed === this.formed) return
    const last = order.inOrder ? rows.t[place - 1] ?? -Infinity : Infinity
    const few = place >= this.place && place - this.place <= FEW && !formed && !this.formed
    if (order.inOrder && (!forming.length || forming[0].t > last)) {
      if (!this.plain) table.cut(0)
      const kept = this.plain ? Math.min(place, this.place) : 0
      table.cut(kept)
      table.extend(rows, kept, place)
      for (const candle of forming) table.put(candle)
      this.plain = true
    } else {
      if (few) for (const i of order.between(this.place, place)) table.put(candleOf(rows, i))
      else table.load(choose(rows, order.between(0, place)), table.minutes)
      for (const candle of forming) table.put(candle)
      this.plain = false
    }
    this.place = place
    this.formed = formed
  }
}

/** The build-ups of one symbol, and a table of those that were known at a time. */
export class BuildUpReel {
  /** @param {BuildUpColumns} columns */
  constructor(columns) {
    this.rows = rowsOf(columns)
    this.order = new Order(columns.k ?? columns.t)
    this.table = new BuildUpTable()
    this.place = 0
  }

  /** @param {number} time */
  play(time) {
    const { table, order, rows } = this
    const place = order.count(time)
    if (place < this.place) {
      if (order.inOrder) table.cut(place)
      else {
        table.cut(0)
        for (const i of order.between(0, place)) table.put(rows[i])
      }
    } else for (const i of order.between(this.place, place)) table.put(rows[i])
    this.place = place
  }
}

/** @param {CandleColumns} rows @param {number} i @returns {Candle} */
const candleOf = (rows, i) => ({
  t: rows.t[i], o: rows.o[i], h: rows.h[i], l: rows.l[i], c: rows.c[i],
  v: rows.v?.[i] ?? null, oi: rows.oi?.[i] ?? null, final: true,
})

/**
 * The same columns with some rows only.
 * @param {CandleColumns} columns
 * @param {number[]} places
 * @returns {CandleColumns}
 */
function choose(columns, places) {
  const chosen = Object.entries(columns).map(([name, values]) => [
    name, Array.isArray(values) ? places.map((place) => values[place]) : values,
  ])
  return Object.fromEntries(chosen)
}
