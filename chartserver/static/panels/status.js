/** @import { Incomplete, SourceState, Status } from "../data/types.js" */
/** @import { Clock } from "../data/clock.js" */
/** @import { Connection } from "../data/live.js" */
import { setDelay } from "../data/late.js"
import { byId, element, setText } from "../lib/dom.js"
import { Keyed } from "../lib/keyed.js"
import * as format from "../lib/format.js"

const NAMES = { tradingview: "TradingView", trendlyne: "Trendlyne", upstox: "Upstox" }
const WORDS = {
  loading: "Loading", live: "Live", reconnecting: "Reconnecting", retrying: "Offline",
  waiting: "Waiting", refused: "Refused", stale: "Stale", stored: "Stored", incomplete: "Incomplete",
}

/**
 * Prices this old, in seconds of the market and of the viewer, beside the source's delay are called
 * stale in an open market: a source may tell whole minutes only, and needs time to be asked.
 */
const STALE_MARKET_SECONDS = 90
const STALE_WALL_SECONDS = 10

/** @typedef {Connection | "stale" | "stored" | "incomplete"} Shown */

/** @param {number} seconds */
const minutes = (seconds) => Math.round(seconds / 6) / 10

/** What is said of late data; nothing of data in real time. @param {Status} status */
const delayText = ({ delay_seconds: late }) => (late ? `DELAYED ${minutes(late)} min` : "")

/** The minute of the last price. @param {Incomplete} session */
const lastPriceText = ({ last }) => `Last price ${format.minute(last - 1)}`

/** @param {Incomplete} session */
const incompleteText = ({ session, close, last }) =>
  `The session of ${format.sessionText(session)} is incomplete: its last price is of ${
    format.minute(last - 1)}, its close was at ${format.minute(close)}. This is no closing price.`

/** The badge of late data, and of what a source wants a person to do. @param {Status} status */
function showDelay(status) {
  const badge = byId("delayed")
  const notes = Object.values(status.sources ?? {}).flatMap(({ note }) => note ?? [])
  const late = delayText(status)
  badge.hidden = late === "" && notes.length === 0
  setText(badge, late || "Account")
  badge.dataset.tip = [late && "The account's prices come so late.", ...notes].filter(Boolean).join(" ")
}

/** @param {[string, SourceState]} entry */
const nameOf = ([name]) => name

/** @param {string} name */
function sourceChip(name) {
  const chip = element("span", { className: "source", testId: `source-${name}` })
  chip.tabIndex = 0
  chip.append(element("i"), NAMES[/** @type {keyof NAMES} */ (name)] ?? name)
  return chip
}

/**
 * The right half of the header: connection, data age, sources and the market's clock.
 * @param {Clock} clock
 * @param {() => string} underlying whose rows count
 */
export function createStatusBar(clock, underlying) {
  /** @type {Connection} */
  let connection = "loading"
  let message = ""
  /** @type {Status} */
  let status = {}
  /** Market time of the newest price: the end of what the newest index candle tells. */
  let newest = NaN
  /** @type {Keyed<[string, SourceState], {element: HTMLElement}>} whoever is asked */
  const sources = new Keyed(byId("sources"), (name) => ({ element: sourceChip(String(name)) }))

  /** @returns {number | null} market seconds since the newest price; null when unknown */
  function age() {
    return Number.isNaN(newest) || !clock.known ? null : Math.max(0, clock.now() - newest)
  }

  /** @returns {Shown} */
  function shown() {
    if (connection !== "live") return connection
    if (status.market === "closed" && short()) return "incomplete"
    if (status.feed === "none") return "stored"
    const limit = Math.max(STALE_MARKET_SECONDS, STALE_WALL_SECONDS * clock.speed)
    // At the open nothing of the session can be older than the session.
    const since = clock.now() - Math.max(newest, status.session?.open ?? -Infinity)
    const late = status.market === "open" && age() !== null && since > limit + (status.delay_seconds ?? 0)
    return late ? "stale" : connection
  }

  /** The closed session on show, where its last price is missing. */
  const short = () => status.incomplete?.find((one) => one.underlying === underlying())

  function write() {
    const state = shown()
    const chip = byId("connection")
    chip.dataset.state = state
    const delayed = state === "live" ? delayText(status) : ""
    const old = age()
    const ended = state === "incomplete" ? short() : null
    setText(byId("connection-text"), ended ? lastPriceText(ended) : delayed || WORDS[state])
    showDelay(status)
    const silent = `The newest price is ${format.duration(old ?? 0)} old in an open market.`
    chip.dataset.tip = state === "stale" ? silent
      : ended ? incompleteText(ended)
      : delayed ? `${delayed}: the source says so. What is shown was so much earlier.`
      : state === "stored" ? "Stored data: no source is asked and no feed runs." : message
    const closed = status.market === "closed"
    setText(byId("data-age"), old === null || closed || state === "stored" ? "–" : format.duration(old))
    byId("data-age").dataset.state = state === "stale" ? "stale" : "fresh"
    const open = byId("market-state")
    setText(open, status.market ? `Market ${status.market}` : "")
    open.dataset.state = status.market ?? ""
    if (!clock.known) return
    setText(byId("market-clock"), format.second(clock.now()))
    setText(byId("market-day"), format.longDay(clock.now()))
    sources.show(Object.entries(status.sources ?? {}), nameOf, writeSource)
  }

  /**
   * @param {{element: HTMLElement}} part
   * @param {[string, SourceState]} entry
   */
  function writeSource({ element: chip }, [name, source]) {
    const title = NAMES[/** @type {keyof NAMES} */ (name)] ?? name
    // What was true before the connection broke may not be now.
    const heard = connection === "live"
    chip.dataset.state = heard ? source.state : "idle"
    if (!heard) {
      chip.dataset.tip = `${title}: not known while the page is not connected`
      return chip.setAttribute("aria-label", chip.dataset.tip)
    }
    const last = source.last ? `, last answer ${format.second(source.last)} IST` : ""
    const error = source.error ? `. ${source.error}` : ""
    const late = source.delay_seconds ? `, ${minutes(source.delay_seconds)} min late` : ""
    const note = source.note ? `. ${source.note}` : ""
    chip.dataset.tip = `${title} is ${source.state}${last}${late}${error}${note}`
    chip.setAttribute("aria-label", chip.dataset.tip)
  }

  return {
    write,
    shown,
    age,
    status: () => status,
    message: () => message,
    /** @param {Connection} next @param {string} text */
    connection(next, text) {
      connection = next
      message = text
      write()
    },
    /** @param {Status} next */
    take(next) {
      status = { ...status, ...next }
      setDelay(status.delay_seconds)
      clock.set(next.now, next.clock)
      const seconds = (next.ages_by?.[underlying()] ?? next.ages)?.candle
      if (seconds != null && next.now !== undefined)
        newest = Number.isNaN(newest) ? next.now - seconds : Math.max(newest, next.now - seconds)
      write()
    },
    /**
     * A candle of the index has just arrived.
     * @param {number} end of its interval, which a forming one has not reached
     */
    touch(end) {
      if (!clock.known) return
      const told = Math.min(end, clock.now() - (status.delay_seconds ?? 0))
      newest = Number.isNaN(newest) ? told : Math.max(newest, told)
    },
    /** The market may have been set back: forget the newest candle. */
    forget() {
      newest = NaN
    },
  }
}
