/** @import { SeriesMarker, Time } from "lightweight-charts" */
/** @import { Candle, Role, Signal } from "../data/types.js" */
import { bucketOf } from "../data/aggregate.js"
import { at } from "./drawn.js"
import { lowerBound, upperBound } from "../lib/search.js"
import { strategyMark } from "../data/strategies.js"
import { markerName, parseOption } from "../data/symbols.js"
import { COLORS } from "./theme.js"

/** Above so many, only markers near the visible range go to the chart: they are its slow part. */
const MANY = 300
/** Room a text needs, and its last letter alone. */
const TEXT_PIXELS = 80
const LETTER_PIXELS = 16
/** Stands between what a marker says and whose it is. */
const BY = " \u00b7 "

/**
 * The markers of one chart, ascending. The suggested contract's chart says BUY; the chart of its
 * sibling strike gets a small note that names the strike; the index chart shows the direction. The
 * letter of the strategy ends each.
 * @param {Signal[]} signals
 * @param {Role} role
 * @param {string} symbol
 * @param {Candle[]} bars as displayed; a marker stands on one of them
 * @param {number} minutes
 * @returns {SeriesMarker<Time>[]}
 */
export function markersOf(signals, role, symbol, bars, minutes) {
  const times = bars.map((bar) => bar.t)
  /** @type {SeriesMarker<Time>[]} */
  const markers = []
  for (const signal of signals) {
    if (signal.withdrawn) continue
    // event_time is the end of the evaluated interval, so the candle is the one just before it.
    const place = upperBound(times, bucketOf(signal.event_time - 1, minutes)) - 1
    const marker = place < 0 ? null : markerOf(signal, role, symbol)
    if (marker) markers.push({ ...marker, time: at(times[place]), id: signal.signal_id })
  }
  return markers.sort((a, b) => Number(a.time) - Number(b.time))
}

/**
 * @param {Signal} signal
 * @param {Role} role
 * @param {string} symbol
 * @returns {Omit<import("lightweight-charts").SeriesMarkerBar<Time>, "time"> | null}
 */
function markerOf(signal, role, symbol) {
  const by = BY + strategyMark(signal)
  const { direction } = signal
  if (role === "index")
    return direction === "BULLISH"
      ? { position: "belowBar", shape: "arrowUp", color: COLORS.up, text: direction + by }
      : { position: "aboveBar", shape: "arrowDown", color: COLORS.down, text: direction + by }
  if (signal.symbol === symbol)
    return {
      position: "belowBar", shape: "arrowUp", color: COLORS.buy, size: 1.5,
      text: `BUY ${markerName(symbol)}${by}`,
    }
  const suggested = parseOption(signal.symbol)
  const shown = parseOption(symbol)
  if (!suggested || suggested.letter !== shown?.letter || suggested.expiry !== shown.expiry)
    return null
  return {
    position: "aboveBar", shape: "circle", color: COLORS.aside, size: 0.5,
    text: `\u2192 ${markerName(signal.symbol)}${by}`,
  }
}

/**
 * Choose what to hand to the chart for what is visible.
 * @param {SeriesMarker<Time>[]} markers ascending
 * @param {{from: number, to: number} | null} visible times
 * @param {number} width pixels of the chart
 * @returns {{markers: SeriesMarker<Time>[], key: string}} a choice with the same key is the same
 */
export function chooseMarkers(markers, visible, width) {
  if (!visible) return { markers, key: "all" }
  const times = markers.map(({ time }) => Number(time))
  const first = lowerBound(times, visible.from)
  const last = upperBound(times, visible.to)
  const count = last - first
  // Signals come in bursts: the two nearest decide whether texts have room.
  const gaps = times.slice(first + 1, last).map((time, i) => time - times[first + i])
  const nearest = Math.min(...gaps) / (visible.to - visible.from) * width
  const room =
    nearest >= TEXT_PIXELS ? "text" : count * LETTER_PIXELS <= width ? "letter" : "none"
  // Steps of the window keep it the same while the user pans a little.
  const step = markers.length > MANY ? Math.max(1, last - first, MANY >> 2) : Infinity
  const from = step === Infinity ? 0 : Math.max(0, (Math.floor(first / step) - 1) * step)
  const to = step === Infinity ? markers.length : (Math.ceil(last / step) + 1) * step
  const near = markers.slice(from, to)
  const said = room === "text" ? near : near.map((marker) => shorten(marker, room === "letter"))
  return { markers: said, key: `${from}-${to}-${room}` }
}

/**
 * A marker whose whole text would only cover its neighbours'; to buy is still said.
 * @param {SeriesMarker<Time>} marker
 * @param {boolean} lettered
 * @returns {SeriesMarker<Time>}
 */
function shorten(marker, lettered) {
  const by = marker.text?.split(BY).at(-1)?.charAt(0)
  if (marker.text?.startsWith("BUY")) return { ...marker, text: `BUY ${by}` }
  return { ...marker, text: lettered ? by : undefined }
}
