/** @import { BuildUpEvent, CandleEvent, HistoryAnswer, Role, Signal } from "./types.js" */
import { INTERVALS } from "./aggregate.js"
import { BuildUpTable } from "./buildups.js"
import { CandleTable } from "./candles.js"

/** @type {readonly Role[]} */
export const ROLES = ["index", "call", "put"]

/**
 * What the page knows of the market: candles and build-ups of the three instruments it shows, and
 * all signals of the underlying. Live and replay feed it the same rows.
 */
export class Market {
  constructor() {
    /** @type {HistoryAnswer | null} */
    this.answer = null
    /** @type {Map<string, CandleTable>} */
    this.candles = new Map()
    /** @type {Map<string, BuildUpTable>} */
    this.buildUps = new Map()
    /** @type {Map<string, Signal>} */
    this.signals = new Map()
    /** Grows with every change of a signal. */
    this.signalRevision = 0
    /** @type {string | null} whose signals are shown; null for all */
    this.strategy = null
    /** @type {{revision: number, signals: Signal[]}} */
    this.listed = { revision: -1, signals: [] }
  }

  /** Minutes of the coarsest stored candles; 0 before the first answer. */
  get storedMinutes() {
    return Math.max(...ROLES.map((role) => this.table(role)?.minutes ?? 0))
  }

  /** @param {Role} role */
  symbol(role) {
    return this.answer?.symbols[role] ?? null
  }

  /** @param {Role} role */
  table(role) {
    return this.candles.get(this.symbol(role) ?? "") ?? null
  }

  /** @param {Role} role */
  buildUpTable(role) {
    return this.buildUps.get(this.symbol(role) ?? "") ?? null
  }

  /** Latest price of the index. */
  get spot() {
    return this.table("index")?.lastClose ?? this.answer?.spot ?? null
  }

  get isEmpty() {
    return ROLES.every((role) => !this.table(role)?.length)
  }

  /**
   * Start over from an answer, with its rows or (replay) with none yet.
   * @param {HistoryAnswer} answer
   * @param {boolean} [withRows]
   */
  load(answer, withRows = true) {
    this.answer = answer
    this.candles.clear()
    this.buildUps.clear()
    this.signals.clear()
    this.signalRevision++
    const usual = INTERVALS[/** @type {keyof INTERVALS} */ (answer.interval)] ?? 1
    for (const role of ROLES) {
      const symbol = this.symbol(role)
      if (!symbol) continue
      const candles = new CandleTable()
      const buildUps = new BuildUpTable()
      this.candles.set(symbol, candles)
      if (role !== "index") this.buildUps.set(symbol, buildUps)
      const stored = answer.candles[symbol]
      const labels = answer.build_ups[symbol]
      const minutes = stored?.t.length ? (stored.minutes ?? usual) : 0
      if (withRows && stored) candles.load(stored, minutes)
      else candles.minutes = minutes
      if (withRows && labels) buildUps.load(labels)
    }
    if (withRows) for (const signal of answer.signals) this.signals.set(signal.signal_id, signal)
  }

  /**
   * Take one candle of the stream.
   * @param {CandleEvent} event
   * @returns {"ok" | "ignored" | "finer"} "finer" when the stored interval became finer than what
   *   the page holds, so that the history must be read again
   */
  putCandle(event) {
    const table = this.candles.get(event.symbol)
    if (!table) return "ignored"
    const minutes = event.interval ?? 1
    if (table.minutes === 0) table.minutes = minutes
    if (minutes < table.minutes) return "finer"
    if (minutes > table.minutes) return "ignored"
    table.put(event)
    return "ok"
  }

  /** @param {BuildUpEvent} event */
  putBuildUp(event) {
    this.buildUps.get(event.symbol)?.put(event)
  }

  /** @param {Signal} signal */
  putSignal(signal) {
    this.signals.set(signal.signal_id, signal)
    this.signalRevision++
  }

  /** Show the signals of one strategy only. @param {string | null} strategy null for all */
  showStrategy(strategy) {
    this.strategy = strategy
    this.signalRevision++
  }

  /** @param {Signal} signal */
  shows(signal) {
    return this.strategy === null || signal.strategy === this.strategy
  }

  /** The shown signals, oldest first, withdrawn ones included; the same array until one changes. */
  signalList() {
    if (this.listed.revision !== this.signalRevision)
      this.listed = {
        revision: this.signalRevision,
        signals: [...this.signals.values()].filter((signal) => this.shows(signal))
          .sort((a, b) => a.event_time - b.event_time),
      }
    return this.listed.signals
  }
}
