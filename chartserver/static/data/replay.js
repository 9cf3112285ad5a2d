/** @import { Rule } from "./rules.js" */
/** @import { Store } from "./store.js" */
/** @import { HistoryAnswer, Listed, Role } from "./types.js" */
/** @import { View } from "./view.js" */
import { ApiError, getReplay } from "./api.js"
import { dayOf } from "./hours.js"
import { PastLadder } from "./past-ladder.js"
import { AtmPath, pricePath } from "./path.js"
import { AT_THE_MONEY, strikeOf } from "./rules.js"
import { optionSymbol, parseOption } from "./symbols.js"
import { Tape } from "./tape.js"
import { Timeline } from "./timeline.js"
import { ROLES } from "./view.js"
import { GrowingPause } from "../lib/pause.js"
import { lowerBound, upperBound } from "../lib/search.js"

/** Strikes on each side of those shown whose candles are read ahead. */
const AHEAD = 2

/** @typedef {Record<Role, string | null>} Shown symbols on the charts */

/**
 * A range of stored sessions, as it was known at any time of it. Which contracts are on show is a
 * function of that time and of the rules: the nearest expiry of those known in the session, ATM by
 * the spot of then. The view changes only to what is there whole.
 */
export class Replay {
  /**
   * @param {Store} store
   * @param {View} view
   * @param {() => void} changed a ladder came, or contracts that may be wanted
   */
  constructor(store, view, changed) {
    this.store = store
    this.view = view
    this.changed = changed
    this.tape = new Tape(store)
    this.timeline = new Timeline(null, store.hours)
    this.ladder = new PastLadder(store, changed)
    /** @type {HistoryAnswer | null} */
    this.answer = null
    /** @type {{underlying: string, expiry: string | null, from: string, to: string}} */
    this.asked = { underlying: "", expiry: null, from: "", to: "" }
    /** @type {{call: Rule, put: Rule}} */
    this.rules = { call: AT_THE_MONEY, put: AT_THE_MONEY }
    /** Whether the future stands in the index's place. */
    this.future = false
    this.path = new AtmPath([], [])
    /** Moments at which other contracts can come on show. @type {number[]} */
    this.changes = []
    /** @type {Listed[]} */
    this.listed = []
    /** @type {Map<string, Promise<void>>} symbols on their way */
    this.reading = new Map()
    /** While it lasts nothing is read ahead. */
    this.pause = new GrowingPause()
    this.resting = false
    /** The moment on show; NaN before there is any. */
    this.time = NaN
  }

  /**
   * Read a range. Nothing of it is shown yet.
   * @param {{underlying: string, expiry: string | null, from: string, to: string}} asked
   * @param {() => boolean} isWanted whether it still is when the answer comes
   * @throws {import("./api.js").ApiError}
   */
  async load(asked, isWanted) {
    const answer = await getReplay(asked)
    if (isWanted()) this.take(answer, asked)
  }

  /** @param {HistoryAnswer} answer @param {Replay["asked"]} asked */
  take(answer, asked) {
    const { store, tape } = this
    this.answer = answer
    this.asked = asked
    this.time = NaN
    this.reading.clear()
    tape.clear()
    // What an answer about the whole range says must not be known before its time.
    store.load({ ...answer, ...NOTHING_KNOWN, symbols: { ...answer.symbols, call: null, put: null } }, false)
    this.ladder.forget()
    tape.add(answer, [answer.symbols.index, answer.symbols.future])
    tape.takeSignals(answer.signals, answer.revised ?? [])
    this.timeline = new Timeline(answer, store.hours)
    this.listed = answer.listed ?? []
    const spot = this.spotSymbol && tape.reels.get(this.spotSymbol)
    this.path = new AtmPath(spot ? pricePath(spot.candles) : [], this.timeline.sessions.map(
      ({ from }) => ({ from, strikes: this.listedAt(from)?.strikes ?? [] })))
    const opens = this.timeline.sessions.map(({ from }) => from)
    this.changes = [...new Set([...opens, ...this.path.times])].sort((a, b) => a - b)
      .filter((time) => this.timeline.clamp(time) === time)
  }

  /** The instrument that places ATM: the index, or the future where no index is stored. */
  get spotSymbol() {
    const { index, future } = this.answer?.symbols ?? {}
    const stored = this.answer?.candles ?? {}
    return [index, future].find((symbol) => symbol && stored[symbol]) ?? index ?? null
  }

  /** Contracts known in the session of a time. @param {number} time */
  listedAt(time) {
    const day = dayOf(this.timeline.sessionOf(time)?.from ?? time)
    return this.listed.find(({ session }) => dayOf(Date.parse(session) / 1000) === day) ?? null
  }

  /** The strike at the money at the moment on show. */
  get atm() {
    return this.path.at(this.time)
  }

  /**
   * The contracts of a time.
   * @param {number} time
   * @param {number | null} [atm]
   * @returns {Shown}
   */
  shownAt(time, atm = this.path.at(time)) {
    const { expiry = null, strikes = [] } = this.listedAt(time) ?? {}
    const { ladder } = this.store
    const known = ladder?.expiry === expiry && (ladder.at ?? Infinity) <= time ? ladder : null
    /** @param {"call" | "put"} side */
    const symbol = (side) => {
      const strike = strikeOf(this.rules[side], side, { atm, strikes, ladder: known, shown: null })
      return expiry !== null && strike !== null && strikes.includes(strike)
        ? optionSymbol(this.asked.underlying, expiry, side, strike) : null
    }
    const { index = null, future = null } = this.answer?.symbols ?? {}
    return { index: this.future && future ? future : index, call: symbol("call"), put: symbol("put") }
  }

  /** Whether the contracts on show are those of the moment on show. */
  isShown() {
    const shown = this.shownAt(this.time)
    return ROLES.every((role) => shown[role] === this.view.contracts[role])
  }

  /** Which fixed strikes are not listed at the moment on show. */
  get missing() {
    const { expiry = null, strikes = [] } = this.listedAt(this.time) ?? {}
    const { call, put } = this.rules
    const fixed = [call, put].flatMap((rule) => (rule.kind === "fixed" ? [rule.strike] : []))
    return { expiry, strikes: [...new Set(fixed)].filter((strike) => !strikes.includes(strike)) }
  }

  /**
   * Show a moment: the rows, the contracts and the ladder of then, at once.
   * @param {number} time
   * @param {boolean} jumped not from just before it
   * @returns {boolean} false when contracts of then must be read first; nothing changed then
   */
  show(time, jumped) {
    const shown = this.shownAt(time)
    if (!ROLES.every((role) => this.tape.has(shown[role]))) return false
    const { store, tape, view } = this
    const listed = this.listedAt(time)
    this.time = time
    if (jumped) this.ladder.leave(time)
    const { index = null, future = null } = this.answer?.symbols ?? {}
    tape.show(time, [index, future, shown.call, shown.put])
    view.contracts = shown
    if (store.answer)
      Object.assign(store.answer, {
        session: listed?.session ?? null, expiry: listed?.expiry ?? null,
        expiries: listed?.expiries ?? [], strikes: listed?.strikes ?? [],
        // Where no index is stored the future tells the price.
        spot: this.spotSymbol === index ? null : store.table(future)?.lastClose ?? null,
      })
    return true
  }

  /**
   * Read the contracts of a time that are not there.
   * @param {number} time
   * @throws {import("./api.js").ApiError}
   */
  async prepare(time) {
    await this.read(Object.values(this.shownAt(time)))
  }

  /**
   * Read ahead: strikes around those shown, and those that will be at the money. What fails is
   * tried again after a while, and complained of when its time comes.
   * @param {number} until market time
   */
  async readAhead(until) {
    if (this.resting) return
    const { strikes = [], expiry } = this.listedAt(this.time) ?? {}
    if (!expiry) return
    const { underlying } = this.asked
    const now = this.shownAt(this.time)
    const near = /** @type {const} */ (["call", "put"]).flatMap((side) => {
      const strike = parseOption(now[side])?.strike
      if (strike === undefined) return []
      const place = lowerBound(strikes, strike)
      return strikes.slice(Math.max(0, place - AHEAD), place + AHEAD + 1)
        .map((one) => optionSymbol(underlying, expiry, side, one))
    })
    const { sessions } = this.timeline
    const moments = [until, ...sessions.map(({ from }) => from)]
      .filter((time) => time > this.time && time <= until)
    const later = this.path.within(this.time, until).flatMap((atm) =>
      moments.flatMap((time) => Object.values(this.shownAt(time, atm))))
    const opens = moments.flatMap((time) => Object.values(this.shownAt(time)))
    try {
      await this.read([...near, ...later, ...opens])
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      this.resting = true
      await this.pause.wait(this.pause.next())
      this.resting = false
    }
  }

  /** @param {readonly (string | null)[]} symbols */
  async read(symbols) {
    const wanted = [...new Set(symbols)].filter((symbol) => symbol !== null && !this.tape.has(symbol))
    const missing = wanted.filter((symbol) => !this.reading.has(symbol ?? ""))
    if (missing.length) {
      const reading = this.readMore(/** @type {string[]} */ (missing))
      for (const symbol of missing) this.reading.set(symbol ?? "", reading)
    }
    await Promise.all(wanted.map((symbol) => this.reading.get(symbol ?? "")))
  }

  /** @param {string[]} symbols */
  async readMore(symbols) {
    const { answer: before } = this
    try {
      const answer = await getReplay({ ...this.asked, symbols: symbols.join(",") })
      if (this.answer === before) this.tape.add(answer, symbols)
      this.pause.end()
    } finally {
      if (this.answer === before) for (const symbol of symbols) this.reading.delete(symbol)
    }
    this.changed()
  }

  /**
   * The nearest moment at which something on show became known, or other contracts came on show;
   * none of a night.
   * @param {1 | -1} direction
   * @returns {Promise<number>}
   * @throws {import("./api.js").ApiError} contracts that were on show before cannot be read
   */
  async event(direction) {
    const { timeline, view, changes, tape } = this
    const from = changes[lowerBound(changes, this.time) - 1] ?? timeline.start
    const until = changes[upperBound(changes, this.time)] ?? timeline.end
    // Back to it, the contracts are those that were on show before this moment.
    const shown = Object.values(this.shownAt(direction > 0 ? this.time : from))
    await this.read(shown)
    const orders = tape.orders(shown, (signal) => view.shows(signal))
    let time = this.time
    do {
      const moments = orders.map((order) => (direction > 0 ? order.after(time) : order.before(time)))
      time = direction > 0 ? Math.min(until, ...moments) : Math.max(from, ...moments)
    } while (timeline.clamp(time) !== time)
    return time
  }
}

const NOTHING_KNOWN = {
  session: null, expiry: null, expiries: [], strikes: [], atm_strike: null, spot: null,
  candles: {}, build_ups: {}, forming: {}, signals: [], revised: [], listed: [], missing: [],
}
