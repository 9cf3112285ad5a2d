/** @import { BuildUpEvent, CandleEvent, HistoryAnswer, Signal, Status } from "./types.js" */
/** @import { Market } from "./market.js" */
import { ApiError, getHistory } from "./api.js"
import { isoDate } from "../lib/format.js"
import { openStream } from "./stream.js"
import { parseOption } from "./symbols.js"

/** Seconds to wait before the next attempt, each longer than the one before. */
const WAITS = [1, 2, 4, 8, 15, 30]
/** Between two readings of the history because of what the stream brought. */
const RELOAD_PAUSE_MS = 5000

/**
 * How the page hears the server: `loading` history, `live`, `reconnecting` (the browser resumes by
 * itself), `retrying` (history and stream start anew after a wait), `waiting` (the same, for what is
 * not stored yet), `refused` (a person must act).
 * @typedef {"loading" | "live" | "reconnecting" | "retrying" | "waiting" | "refused"} Connection
 *
 * @typedef {object} LiveHooks
 * @property {() => {underlying: string, expiry: string | null, strike: number | null}} query
 * @property {(answer: HistoryAnswer) => void} loaded the market was filled from an answer
 * @property {(kind: "candle" | "build_up" | "signal") => void} changed
 * @property {(status: Status) => void} status
 * @property {(state: Connection, message: string, error?: ApiError) => void} connection
 * @property {(signal: Signal) => void} signal a new or changed signal
 */

/**
 * Keeps a market up to date: history first, then the stream from that very snapshot on. Whatever
 * goes wrong ends in reading the history again.
 */
export class Live {
  /**
   * @param {Market} market
   * @param {Promise<HistoryAnswer>} first the first history, already asked for
   * @param {LiveHooks} hooks
   */
  constructor(market, first, hooks) {
    this.market = market
    /** @type {Promise<HistoryAnswer> | null} */
    this.first = first
    this.hooks = hooks
    /** @type {ReturnType<typeof openStream> | null} */
    this.stream = null
    /** @type {AbortController | null} */
    this.request = null
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined
    this.attempts = 0
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.reloading = undefined
    this.reloaded = -Infinity
    /** @type {(() => void)[] | null} events that came while a history was on its way */
    this.waiting = null
  }

  /** Read the history and open the stream anew. */
  async start() {
    this.stream?.close()
    this.stream = null
    this.waiting = null
    this.hooks.connection("loading", "Reading the stored session\u2026")
    const answer = await this.read()
    if (!answer) return
    this.apply(answer)
    this.open(answer.underlying, answer.as_of)
  }

  /**
   * Change to other contracts of the same underlying; the stream stays open. Events that arrive
   * before the answer are applied after it, so that none is lost.
   * @param {number | null} [atm] the strike to show when none is fixed; null: the server's choice
   */
  async swap(atm = null) {
    if (!this.stream) return this.start()
    this.waiting ??= []
    const answer = await this.read(atm)
    if (!answer || !this.waiting) return
    const waiting = this.waiting
    this.waiting = null
    this.apply(answer)
    for (const event of waiting) event()
  }

  /**
   * @param {number | null} [atm]
   * @returns {Promise<HistoryAnswer | null>} null when another request took over, or on failure
   */
  async read(atm = null) {
    clearTimeout(this.timer)
    this.request?.abort()
    const request = new AbortController()
    this.request = request
    try {
      const query = this.hooks.query()
      const first = this.first
      this.first = null
      const answer = await (first ??
        getHistory({ ...query, strike: query.strike ?? atm }, request.signal))
      return request.signal.aborted ? null : answer
    } catch (error) {
      if (!request.signal.aborted) this.failed(error)
      return null
    }
  }

  /** @param {HistoryAnswer} answer */
  apply(answer) {
    this.market.load(answer)
    this.hooks.loaded(answer)
  }

  /** @param {unknown} error */
  failed(error) {
    const told = error instanceof ApiError ? error : new ApiError(String(error), 500)
    if (!(error instanceof ApiError)) console.error(error)
    this.stream?.close()
    this.stream = null
    this.waiting = null
    if (told.retryable) this.retry(told.message, told)
    else this.hooks.connection("refused", told.message, told)
  }

  /**
   * @param {string} reason
   * @param {ApiError} [error]
   */
  retry(reason, error) {
    const wait = WAITS[Math.min(this.attempts++, WAITS.length - 1)]
    const state = error?.status === 404 ? "waiting" : "retrying"
    this.hooks.connection(state, `${reason} Trying again in ${wait} s.`, error)
    clearTimeout(this.timer)
    // A little randomness keeps a restarted server from meeting all its pages at once.
    this.timer = setTimeout(() => this.start(), wait * (800 + 400 * Math.random()))
  }

  /**
   * @param {string} underlying
   * @param {string | undefined} since
   */
  open(underlying, since) {
    this.stream = openStream(underlying, since, {
      open: () => {
        this.attempts = 0
        this.hooks.connection("live", "Connected; every change arrives as it is stored.")
      },
      interrupted: () =>
        this.hooks.connection("reconnecting", "The connection broke; the browser is resuming it."),
      closed: (reason) => this.retry(reason),
      reset: () => void this.start(),
      status: (status) => this.hooks.status(status),
      candle: (event) => this.take(() => this.takeCandle(event)),
      build_up: (event) => this.take(() => this.takeBuildUp(event)),
      signal: (event) => this.take(() => this.takeSignal(event)),
    })
  }

  /** @param {() => void} event */
  take(event) {
    if (this.waiting) this.waiting.push(event)
    else event()
  }

  /** @param {CandleEvent} event */
  takeCandle(event) {
    const { session, symbols } = this.market.answer ?? {}
    const nextSession = session && isoDate(event.t) > session
    const firstRows = !symbols?.call && parseOption(event.symbol) !== null
    if (nextSession || firstRows || this.market.putCandle(event) === "finer") this.reload()
    this.hooks.changed("candle")
  }

  /** @param {BuildUpEvent} event */
  takeBuildUp(event) {
    this.market.putBuildUp(event)
    this.hooks.changed("build_up")
  }

  /** @param {Signal} event */
  takeSignal(event) {
    this.market.putSignal(event)
    this.hooks.signal(event)
    this.hooks.changed("signal")
  }

  /** Read the history again soon: a new session began, or the first rows were stored. */
  reload() {
    if (this.reloading !== undefined) return
    const wait = Math.max(1000, this.reloaded + RELOAD_PAUSE_MS - performance.now())
    this.reloading = setTimeout(() => {
      this.reloading = undefined
      this.reloaded = performance.now()
      void this.swap()
    }, wait)
  }
}
