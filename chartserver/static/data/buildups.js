/** @import { BuildUp, BuildUpColumns, Label } from "./types.js" */
import { lowerBound } from "../lib/search.js"

/** Seconds of a build-up interval. */
export const BUILD_UP_SECONDS = 300

/**
 * What each label is called, its colour and the two-letter form for wide cells.
 * @type {Record<Label, {name: string, short: string, color: string, means: string}>}
 */
export const LABELS = {
  long_build_up: {
    name: "Long build-up", short: "LB", color: "#23b26b",
    means: "premium up, open interest up: buyers open positions",
  },
  short_build_up: {
    name: "Short build-up", short: "SB", color: "#e5484d",
    means: "premium down, open interest up: writers open positions",
  },
  short_covering: {
    name: "Short covering", short: "SC", color: "#2ee6d6",
    means: "premium up, open interest down: writers buy back",
  },
  long_unwinding: {
    name: "Long unwinding", short: "LU", color: "#f5a524",
    means: "premium down, open interest down: buyers leave",
  },
  none: {
    name: "None", short: "", color: "#4a5568",
    means: "premium or open interest unchanged or unknown",
  },
}

/** @param {string | null | undefined} label */
export const labelOf = (label) => LABELS[/** @type {Label} */ (label)] ?? LABELS.none

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
    this.rows = columns.t.map((t, i) => ({
      t,
      close: columns.close[i],
      oi: columns.oi?.[i] ?? null,
      oi_change: columns.oi_change?.[i] ?? null,
      volume: columns.volume?.[i] ?? null,
      label: columns.label[i],
    }))
    this.changedFrom = -Infinity
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
