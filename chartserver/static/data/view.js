/** @import { Role, Signal } from "./types.js" */
/** @import { Store } from "./store.js" */

/** @type {readonly Role[]} */
export const ROLES = ["index", "call", "put"]

/**
 * What of the store is on show: contracts, interval, whose signals, which levels. Everything drawn
 * is a function of the two.
 */
export class View {
  constructor() {
    /** @type {Record<Role, string | null>} symbols on the charts */
    this.contracts = { index: null, call: null, put: null }
    /** Minutes of a candle as chosen; the stored ones may be coarser. */
    this.minutes = 1
    /** @type {string | null} whose signals are shown; null for all */
    this.strategy = null
    /** @type {Set<string>} levels drawn on the charts */
    this.levels = new Set()
    /** @type {{key: string, signals: Signal[]}} */
    this.listed = { key: "", signals: [] }
  }

  /**
   * The shown signals, oldest first, withdrawn ones included; the same array until one changes.
   * @param {Store} store
   */
  signals(store) {
    const key = `${store.signalRevision} ${this.strategy}`
    if (this.listed.key !== key)
      this.listed = {
        key,
        signals: [...store.signals.values()].filter((signal) => this.shows(signal))
          .sort((a, b) => a.event_time - b.event_time),
      }
    return this.listed.signals
  }

  /** @param {Signal} signal */
  shows(signal) {
    return this.strategy === null || signal.strategy === this.strategy
  }
}
