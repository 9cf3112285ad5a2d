/** @import { BuildUpEvent, CandleEvent, HistoryAnswer, Ladder, PreviousDay, Signal } from "./types.js" */
import { nearestStrike } from "./atm.js"
import { BuildUpTable } from "./buildups.js"
import { CandleTable } from "./candles.js"
import { Hours, dayOf } from "./hours.js"
import { forgetVersions, meetVersions } from "./strategies.js"

/**
 * All that the page knows of one underlying's market: candles and build-ups of any number of
 * symbols, the strike ladder, all signals. It is filled by a history and the stream that goes on
 * from it, or by a replay's tape; charts and panels only read it.
 *
 * Of a symbol whose history was not asked for yet the stream's rows are kept aside, so that its
 * history can be taken in later without a gap.
 */
export class Store {
  constructor() {
    /** @type {HistoryAnswer | null} the answer it was last filled from */
    this.answer = null
    this.hours = new Hours()
    /** @type {Map<string, CandleTable>} symbols whose history is there */
    this.candles = new Map()
    /** @type {Map<string, BuildUpTable>} */
    this.buildUps = new Map()
    /**
     * Rows of symbols without history, each in its latest state.
     * @type {Map<string, Map<string, {seq: number, put: () => void}>>}
     */
    this.aside = new Map()
    /** @type {Ladder | null} */
    this.ladder = null
    /** Grows with every change of the ladder. */
    this.ladderRevision = 0
    /** @type {Map<string, Signal>} */
    this.signals = new Map()
    /** Grows with every change of a signal. */
    this.signalRevision = 0
    /** @type {Map<string, PreviousDay>} */
    this.previous = new Map()
  }

  /** Whether the candles of a symbol are all there. @param {string | null} symbol */
  has(symbol) {
    return symbol !== null && this.candles.has(symbol)
  }

  /** @param {string | null} symbol */
  table(symbol) {
    return this.candles.get(symbol ?? "") ?? null
  }

  /** @param {string | null} symbol */
  buildUpTable(symbol) {
    return this.buildUps.get(symbol ?? "") ?? null
  }

  /** Latest price of the index. */
  get spot() {
    return this.table(this.answer?.symbols.index ?? null)?.lastClose ?? this.answer?.spot ?? null
  }

  /** The listed strike nearest to spot, whatever strikes the charts stand at. */
  get atm() {
    return this.spot === null ? null : nearestStrike(this.spot, this.answer?.strikes ?? [])
  }

  /** The day of the session that a live page shows; undefined before there is any. */
  get shownDay() {
    const session = this.answer?.session
    return session ? dayOf(Date.parse(session) / 1000) : undefined
  }

  /** Whether a history of the session on show has rows of a time. @param {number} time */
  holds(time) {
    return dayOf(time) === this.shownDay
  }

  get isEmpty() {
    return [...this.candles.values()].every((table) => !table.length)
  }

  /**
   * Start over from an answer, with its rows or (replay) with none yet.
   * @param {HistoryAnswer} answer
   * @param {boolean} [withRows]
   */
  load(answer, withRows = true) {
    this.answer = answer
    for (const part of [this.candles, this.buildUps, this.aside, this.previous])
      part.clear()
    this.hours = new Hours()
    this.addSymbols(answer, withRows)
    const { index, future, call, put } = answer.symbols
    // An instrument that has no candle yet is known all the same: it has none.
    for (const symbol of [index, future, call, put]) if (symbol) this.open(symbol)
    this.setSignals(withRows ? answer.signals : [])
  }

  /**
   * Take in the history of further symbols.
   * @param {HistoryAnswer} answer
   * @param {readonly string[]} symbols that it was asked for
   * @param {number} asOf number of the log at which it was read
   */
  extend(answer, symbols, asOf) {
    this.addSymbols(answer, true)
    for (const symbol of symbols) {
      this.open(symbol)
      for (const { seq, put } of this.aside.get(symbol)?.values() ?? []) if (seq > asOf) put()
      this.aside.delete(symbol)
    }
  }

  /** @param {HistoryAnswer} answer @param {boolean} withRows */
  addSymbols(answer, withRows) {
    this.hours.learn(answer.sessions ?? [])
    for (const [symbol, day] of Object.entries(answer.previous ?? {})) this.previous.set(symbol, day)
    for (const symbol of new Set([...Object.keys(answer.candles), ...Object.keys(answer.build_ups)])) {
      const { candles, buildUps } = this.open(symbol)
      const stored = answer.candles[symbol]
      if (stored?.t.length) candles.minutes = stored.minutes ?? 1
      if (!withRows) continue
      if (stored) candles.load(stored, candles.minutes)
      if (answer.build_ups[symbol]) buildUps.load(answer.build_ups[symbol])
    }
  }

  /** The tables of a symbol, made where there are none yet. @param {string} symbol */
  open(symbol) {
    const candles = this.candles.get(symbol) ?? new CandleTable()
    const buildUps = this.buildUps.get(symbol) ?? new BuildUpTable()
    this.candles.set(symbol, candles)
    this.buildUps.set(symbol, buildUps)
    return { candles, buildUps }
  }

  /**
   * Keep a row of a symbol whose history is not there.
   * @param {string} symbol
   * @param {string} key of the row
   * @param {number} seq
   * @param {() => void} put
   */
  keepAside(symbol, key, seq, put) {
    const kept = this.aside.get(symbol) ?? new Map()
    this.aside.set(symbol, kept.set(key, { seq, put }))
  }

  /**
   * Take one candle of the stream.
   * @param {CandleEvent} event
   * @param {number} [seq] its number in the log
   * @returns {"ok" | "aside" | "ignored" | "finer"} "finer" when the stored interval became finer
   *   than what the page holds, so that the history must be read again
   */
  putCandle(event, seq = 0) {
    const table = this.candles.get(event.symbol)
    if (!table) {
      const key = `candle ${event.interval} ${event.t}`
      this.keepAside(event.symbol, key, seq, () => this.putCandle(event, seq))
      return "aside"
    }
    const minutes = event.interval ?? 1
    if (table.minutes === 0) table.minutes = minutes
    if (minutes < table.minutes) return "finer"
    if (minutes > table.minutes) return "ignored"
    table.put(event)
    return "ok"
  }

  /** @param {BuildUpEvent} event @param {number} [seq] */
  putBuildUp(event, seq = 0) {
    const table = this.buildUps.get(event.symbol)
    if (table) table.put(event)
    else this.keepAside(event.symbol, `build-up ${event.t}`, seq, () => this.putBuildUp(event, seq))
  }

  /** Know these signals and no others. @param {Iterable<Signal>} signals the latest state last */
  setSignals(signals) {
    this.signals.clear()
    this.signalRevision++
    // Versions that are not among them must not tell on those that are.
    forgetVersions()
    for (const signal of signals) this.putSignal(signal)
  }

  /** @param {Signal} signal */
  putSignal(signal) {
    meetVersions([signal])
    this.signals.set(signal.signal_id, signal)
    this.signalRevision++
  }

  /**
   * Take a ladder: whole, or only the strikes that changed.
   * @param {Ladder} next
   */
  putLadder(next) {
    const same = this.ladder?.expiry === next.expiry && this.ladder?.underlying === next.underlying
    if (!next.whole && !same) return
    this.ladder = next.whole || !this.ladder ? next : mergeLadder(this.ladder, next)
    this.ladderRevision++
  }

  /** Strikes that were listed since the history was read stand in the ladder. */
  learnStrikes() {
    const { answer, ladder } = this
    if (!answer || ladder?.expiry !== answer.expiry || ladder.underlying !== answer.underlying) return
    const known = new Set(answer.strikes)
    const more = ladder.rows.map(({ strike }) => strike).filter((strike) => !known.has(strike))
    if (more.length) answer.strikes = [...answer.strikes, ...more].sort((a, b) => a - b)
  }

  clearLadder() {
    this.ladder = null
    this.ladderRevision++
  }
}

/**
 * A ladder with some strikes newer.
 * @param {Ladder} ladder
 * @param {Ladder} changes
 * @returns {Ladder}
 */
export function mergeLadder(ladder, changes) {
  const rows = new Map(ladder.rows.map((row) => [row.strike, row]))
  for (const row of changes.rows) rows.set(row.strike, row)
  return {
    ...changes, whole: true, rows: [...rows.values()].sort((a, b) => a.strike - b.strike),
  }
}
