/** @import { BuildUp, BuildUpColumns, Label } from "./types.js" */
import { lowerBound } from "../lib/search.js"

/** Seconds of a build-up interval. */
export const BUILD_UP_SECONDS = 300

/**
 * What each label is called, and the two-letter form for wide cells; styles/theme.css has its colour.
 * @type {Record<Label, {name: string, short: string, means: string}>}
 */
export const LABELS = {
  long_build_up: {
    name: "Long build-up", short: "LB",
    means: "premium up, open interest up: buyers open positions",
  },
  short_build_up: {
    name: "Short build-up", short: "SB",
    means: "premium down, open interest up: writers open positions",
  },
  short_covering: {
    name: "Short covering", short: "SC",
    means: "premium up, open interest down: writers buy back",
  },
  long_unwinding: {
    name: "Long unwinding", short: "LU",
    means: "premium down, open interest down: buyers leave",
  },
  none: {
    name: "None", short: "",
    means: "premium or open interest unchanged or unknown",
  },
}

/** @param {string | null | undefined} label */
export const labelOf = (label) => LABELS[/** @type {Label} */ (label)] ?? LABELS.none

/** @param {BuildUpColumns} columns @returns {BuildUp[]} */
export const rowsOf = (columns) =>
  columns.t.map((t, i) => ({
    t,
    close: columns.close[i],
    oi: columns.oi?.[i] ?? null,
    oi_change: columns.oi_change?.[i] ?? null,
    volume: columns.volume?.[i] ?? null,
    label: columns.label[i],
  }))

/** All build-ups of one contract, ascending by open time. */
export class BuildUpTable {
  constructor() {
    /** @type {number[]} */ this.t = []
    /** @type {BuildUp[]} */ this.rows = []
    this.changedFrom = Infinity
  }

  get lastTime() {
    return this.t.length ? this.t[this.t.length - 1] : -Infinity
  }

  /** @param {BuildUpColumns} columns */
  load(columns) {
    this.t = columns.t.slice()
    this.rows = rowsOf(columns)
    this.changedFrom = -Infinity
  }

  /** Keep only so many rows from the first on. @param {number} length */
  cut(length) {
    if (length >= this.t.length) return
    this.changedFrom = Math.min(this.changedFrom, this.t[length])
    this.t.length = this.rows.length = length
  }

  /** @param {BuildUp} row */
  put(row) {
    const place = lowerBound(this.t, row.t)
    const replaced = this.t[place] === row.t ? 1 : 0
    this.t.splice(place, replaced, row.t)
    this.rows.splice(place, replaced, row)
    this.changedFrom = Math.min(this.changedFrom, row.t)
  }

  /** The row whose five minutes hold a time. @param {number} time */
  at(time) {
    const place = lowerBound(this.t, time + 1) - 1
    return place >= 0 && time < this.t[place] + BUILD_UP_SECONDS ? this.rows[place] : null
  }

  takeChange() {
    const from = this.changedFrom
    this.changedFrom = Infinity
    return from
  }
}
