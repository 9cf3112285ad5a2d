/** @import { Asked } from "./api.js" */
/** @import { Channel } from "./channel.js" */
/** @import { Store } from "./store.js" */
/** @import { StreamEvent, Tell } from "./switchboard.js" */
/** @import { HistoryAnswer, Status } from "./types.js" */
import { ApiError, getHistory } from "./api.js"
import { openChannel } from "./channel.js"
import { parseCursor } from "./cursor.js"
import { dayOf } from "./hours.js"
import { parseOption, underlyingOf } from "./symbols.js"
import { GrowingPause } from "../lib/pause.js"

/** Between two readings of the history because of what the stream brought. */
const RELOAD_PAUSE_MS = 5000

/**
 * How the page hears the server: `loading` history, `live`, `reconnecting` (the browser resumes by
 * itself), `retrying` (history and stream start anew after a wait), `waiting` (the same, for what is
 * not stored yet), `refused` (a person must act).
 * @typedef {"loading" | "live" | "reconnecting" | "retrying" | "waiting" | "refused"} Connection
 *
 * @typedef {object} LiveHooks
 * @property {() => Asked} query
 * @property {(answer: HistoryAnswer) => void} loaded the store was filled anew
 * @property {(touched: ReadonlySet<string>) => void} changed rows arrived; of which symbols candles
 * @property {(status: Status) => void} status
 * @property {(state: Connection, message: string, error?: ApiError) => void} connection
 */

/**
 * Keeps a store up to date: history first, then the stream from that very snapshot on. Whatever
 * goes wrong ends in reading the history again.
 */
export class Live {
  /**
   * @param {Store} store
   * @param {LiveHooks} hooks
   */
  constructor(store, hooks) {
    this.store = store
    this.hooks = hooks
    /** @type {Channel | null} */
    this.channel = null
    /** @type {AbortController | null} */
    this.request = null
    this.pause = new GrowingPause()
    /** The same for further symbols. */
    this.morePause = new GrowingPause()
    /** Counts readings of the history, so that one that was put off knows of a later one. */
    this.turn = 0
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.reloading = undefined
    this.reloaded = -Infinity
    this.underlying = ""
    /** What was taken in last: events up to its number are in the store. */
    this.cursor = ""
    /** @type {StreamEvent[] | null} events that came while a history was on its way */
    this.waiting = []
    /** @type {Map<string, Promise<void>>} symbols whose history is on its way */
    this.asked = new Map()
  }

  /** Read the history anew and follow it; events that come meanwhile are taken in after it. */
  async start() {
    const query = this.hooks.query()
    if (query.underlying !== this.underlying) this.watch(query.underlying)
    this.waiting = []
    this.asked.clear()
    this.hooks.connection("loading", "Reading the stored session\u2026")
    const answer = await this.read(query)
    if (!answer) return
    this.cursor = answer.as_of ?? ""
    this.store.load(answer)
    this.hooks.loaded(answer)
    /** @type {StreamEvent[]} */
    const waiting = this.waiting ?? []
    this.waiting = null
    this.take(waiting)
    this.channel?.post({
      kind: "follow", since: this.cursor,
      ladder: answer.expiry && `${answer.underlying}:${answer.expiry}`,
    })
  }

  /** @param {string} underlying */
  watch(underlying) {
    this.underlying = underlying
    this.channel ??= openChannel((tell) => this.hear(tell))
    this.channel.post({ kind: "watch", underlying })
  }

  /** The page is put away: leave the stream to the others. */
  leave() {
    this.channel?.close()
    this.channel = null
    this.underlying = ""
  }

  /**
   * @param {Asked} query
   * @returns {Promise<HistoryAnswer | null>} null when another request took over, or on failure
   */
  async read(query) {
    this.turn++
    this.request?.abort()
    const request = new AbortController()
    this.request = request
    try {
      const answer = await getHistory(query, request.signal)
      return request.signal.aborted ? null : answer
    } catch (error) {
      if (!request.signal.aborted) this.failed(error)
      return null
    }
  }

  /**
   * Make sure that the candles of some symbols are in the store.
   * @param {readonly string[]} symbols of the underlying
   * @returns {Promise<void>} once they are; also when they cannot be had
   */
  async want(symbols) {
    const missing = symbols.filter((symbol) => !this.store.has(symbol) && !this.asked.has(symbol))
    if (missing.length) {
      const reading = this.readMore(missing)
      for (const symbol of missing) this.asked.set(symbol, reading)
    }
    await Promise.all(symbols.map((symbol) => this.asked.get(symbol)))
  }

  /** @param {string[]} symbols */
  async readMore(symbols) {
    const { store } = this
    const { answer: before } = store
    if (!before) return
    try {
      const answer = await getHistory({
        underlying: before.underlying, expiry: before.expiry, symbols: symbols.join(","),
        from: before.session ?? undefined,
      })
      // Meanwhile the store may have started over, without them.
      if (store.answer === before) store.extend(answer, symbols, parseCursor(answer.as_of).seq)
      this.morePause.end()
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      // Wanted again with a frame of its own: not sooner than a server that is down can bear.
      await this.morePause.wait(this.morePause.next())
      this.forget(symbols)
      return this.hooks.changed(new Set())
    }
    this.forget(symbols)
  }

  /** @param {readonly string[]} symbols */
  forget(symbols) {
    for (const symbol of symbols) this.asked.delete(symbol)
  }

  /** @param {unknown} error */
  failed(error) {
    const told = error instanceof ApiError ? error : new ApiError(String(error), 500)
    if (!(error instanceof ApiError)) console.error(error)
    if (told.retryable) void this.retry(told.message, told)
    else this.hooks.connection("refused", told.message, told)
  }

  /**
   * @param {string} reason
   * @param {ApiError} [error]
   */
  async retry(reason, error) {
    const wait = this.pause.next()
    const turn = ++this.turn
    const state = error?.status === 404 ? "waiting" : "retrying"
    this.hooks.connection(state, `${reason} Trying again in ${wait} s.`, error)
    await this.pause.wait(wait)
    if (turn === this.turn) await this.start()
  }

  /** @param {Tell} tell */
  hear(tell) {
    if (tell.kind === "events") {
      this.take(tell.events)
      this.channel?.post({ kind: "got", count: tell.events.length })
    } else if (tell.kind === "lagged") void this.start()
    else if (tell.kind === "state") this.heard(tell)
  }

  /** @param {Extract<Tell, {kind: "state"}>} tell */
  heard({ state, message }) {
    if (state === "closed") void this.retry(message)
    else if (this.waiting) return
    else if (state === "open") {
      this.pause.end()
      this.hooks.connection("live", "Connected; every change arrives as it is stored.")
    } else
      this.hooks.connection("reconnecting", "The connection broke; the browser is resuming it.")
  }

  /** @param {StreamEvent[]} events */
  take(events) {
    /** @type {Set<string>} */
    const touched = new Set()
    for (const event of events) {
      const [name, data] = event
      if (name === "status") this.hooks.status(data)
      else if (this.waiting) this.waiting.push(event)
      // A ladder or a build-up may come while prices stand still.
      else if (this.apply(event) && name === "candle") touched.add(data.symbol)
    }
    this.hooks.changed(touched)
  }

  /**
   * Take one event in.
   * @param {StreamEvent} event
   * @returns {boolean} whether it is a row of the market on show
   */
  apply([name, data, id]) {
    if (name === "reset") return void this.start(), false
    if (name === "ladder") {
      this.store.putLadder(data)
      this.store.learnStrikes()
      return data.underlying === this.underlying
    }
    if ((data.underlying ?? underlyingOf(data.symbol)) !== this.underlying) return false
    const place = parseCursor(id)
    const taken = parseCursor(this.cursor)
    if (place.epoch !== taken.epoch || place.seq <= taken.seq) return false
    this.cursor = id
    // A signal belongs to the interval that ended with it.
    const time = name === "signal" ? data.event_time - 1 : data.t
    if (!this.store.holds(time)) return this.passBy(name, data), false
    if (name === "candle") this.takeCandle(data, place.seq)
    else if (name === "build_up") this.store.putBuildUp(data, place.seq)
    else this.store.putSignal(data)
    return true
  }

  /**
   * A row of another session than the one on show changes nothing of it, as a history would not have
   * it either; but the history may now be of that session, or compare with another previous one.
   * @param {string} name
   * @param {import("./types.js").CandleEvent} row
   */
  passBy(name, row) {
    if (name !== "candle") return
    const { shownDay = -Infinity, isEmpty, previous } = this.store
    const before = previous.get(row.symbol)?.session
    const compared = before ? dayOf(row.t) >= dayOf(Date.parse(before) / 1000) : this.store.has(row.symbol)
    if (isEmpty || dayOf(row.t) > shownDay || compared) this.reload()
  }

  /** @param {import("./types.js").CandleEvent} candle @param {number} seq */
  takeCandle(candle, seq) {
    const { expiry, missing = [] } = this.store.answer ?? {}
    const option = parseOption(candle.symbol)
    const awaited = option && (!expiry || missing.some(({ value }) =>
      value === option.strike || value === option.expiry))
    const finer = this.store.putCandle(candle, seq) === "finer"
    if (awaited || finer) this.reload()
  }

  /** Read the history again soon: a new session began, or the first rows were stored. */
  reload() {
    if (this.reloading !== undefined) return
    const wait = Math.max(1000, this.reloaded + RELOAD_PAUSE_MS - performance.now())
    this.reloading = setTimeout(() => {
      this.reloading = undefined
      this.reloaded = performance.now()
      void this.start()
    }, wait)
  }
}
