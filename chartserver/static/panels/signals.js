/** @import { Signal } from "../data/types.js" */
/** @import { SignalActions } from "./signal-row.js" */
import { strategyTitle } from "../data/strategies.js"
import { longName } from "../data/symbols.js"
import { byId, patch, setText } from "../lib/dom.js"
import * as format from "../lib/format.js"
import { eachFrame } from "../lib/frame.js"
import { Keyed } from "../lib/keyed.js"
import { SignalRow } from "./signal-row.js"

/** A longer list would only slow the page; the charts have all markers. */
const MOST_ROWS = 300
/** Rows that are made with one frame: the others are below those in view and follow. */
const ROWS_AT_ONCE = 40

/** Known so long ago, in seconds of the market and of the viewer, a signal is no news. */
const NEWS_MARKET_SECONDS = 60
const NEWS_WALL_SECONDS = 10

/** @typedef {{now: () => number, speed: number}} Told the market's clock */

/** @param {Signal} signal */
const idOf = ({ signal_id }) => signal_id

/**
 * The list of signals, newest first, patched in place.
 * @param {SignalActions} on
 * @param {Told | null} [clock] by which screen readers are told of those that became known just now;
 *   a replay has no such
 */
export function createSignalList(on, clock = null) {
  /** @type {Keyed<Signal, SignalRow>} */
  const rows = new Keyed(byId("signal-rows"), () => new SignalRow(on))
  /** @type {Set<string> | null} */
  let known = null
  /** @type {readonly unknown[]} what the list was last written from */
  let written = []
  let more = () => {}
  const follow = eachFrame(() => more())

  /**
   * Write rows, no more new ones than a frame can bear.
   * @param {Signal[]} listed newest first
   * @param {(row: SignalRow, signal: Signal) => void} write
   */
  function writeRows(listed, write) {
    const made = rows.parts.size + ROWS_AT_ONCE
    rows.show(listed.slice(0, made), idOf, write)
    more = () => writeRows(listed, write)
    if (listed.length > made) follow()
  }

  return {
    /** Forget what was shown, so that nothing counts as new. */
    reset() {
      known = null
      written = []
    },
    /**
     * @param {Signal[]} signals oldest first; the same array as long as nothing changed
     * @param {readonly (string | null)[]} shown symbols on the charts
     */
    show(signals, shown) {
      const key = [signals, ...shown]
      if (key.every((part, i) => part === written[i])) return
      written = key
      const fresh = known === null ? [] : signals.filter((signal) => !known?.has(idOf(signal)))
      const days = new Set(signals.map((signal) => format.isoDate(signal.event_time)))
      writeRows(signals.slice(-MOST_ROWS).reverse(), (row, signal) =>
        row.write(signal, shown, days.size > 1))
      for (const signal of fresh) rows.parts.get(idOf(signal))?.element.classList.add("fresh")
      const standing = signals.filter((signal) => !signal.withdrawn)
      setText(byId("signal-count"), String(standing.length))
      patch(byId("signal-empty"), { hidden: signals.length > 0 })
      const newest = fresh.filter((signal) => !signal.withdrawn).at(-1)
      if (clock && newest && isNews(newest, clock)) tell(newest, clock.now())
      known = new Set(signals.map(idOf))
    },
  }
}

/**
 * Whether a signal became known just now: one that was computed again long after is old.
 * @param {Signal} signal
 * @param {Told} clock
 */
const isNews = ({ known_at }, clock) =>
  clock.now() - known_at <= Math.max(NEWS_MARKET_SECONDS, NEWS_WALL_SECONDS * clock.speed)

/** Tell screen readers. @param {Signal} signal @param {number} now */
function tell(signal, now) {
  const today = format.isoDate(now) === format.isoDate(signal.event_time)
  const day = today ? "" : `${format.longDay(signal.event_time)}, `
  const price = format.price(signal.entry)
  const advice = `${signal.direction}: buy ${longName(signal.symbol)} at ${price}`
  setText(byId("announcer"), `${day}${strategyTitle(signal)}, ${advice}`)
}
