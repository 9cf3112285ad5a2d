/** @import { Time } from "lightweight-charts" */
/** @import { Candle, Role, Signal } from "../data/types.js" */
/** @import { TimeGrid } from "../data/grid.js" */
import { isDelayed } from "../data/late.js"
import { strategyMark, strategyTitle } from "../data/strategies.js"
import { markerName, parseOption } from "../data/symbols.js"
import { upperBound } from "../lib/search.js"
import { at } from "./drawn.js"

/**
 * One signal on one chart.
 * @typedef {object} Marker
 * @property {Time} time of the candle that it stands at
 * @property {string} id of the signal
 * @property {"belowBar" | "aboveBar"} position
 * @property {"arrowUp" | "arrowDown" | "circle"} shape
 * @property {"up" | "down" | "buy" | "aside"} color its name in the theme
 * @property {string} text with the strategy's letter
 * @property {readonly string[]} texts what it may say, the longest first
 * @property {boolean} must the last of them is said wherever there is any room
 */

/** Stands between what a marker says and whose it is. */
const BY = " \u00b7 "

/**
 * The markers of one chart, ascending. The suggested contract's chart says BUY; the chart of its
 * sibling strike gets a small note that names the strike; the index chart shows the direction. The
 * strategy ends each: by its name, or by its letter. What was withdrawn has none.
 * @param {Signal[]} signals
 * @param {Role} role
 * @param {string} symbol
 * @param {Candle[]} bars as displayed; a marker stands on one of them
 * @param {TimeGrid} grid
 * @returns {Marker[]}
 */
export function markersOf(signals, role, symbol, bars, grid) {
  const times = bars.map((bar) => bar.t)
  /** @type {Marker[]} */
  const markers = []
  for (const signal of signals) {
    if (signal.withdrawn) continue
    // event_time is the end of the evaluated interval, so the candle is the one just before it.
    const place = upperBound(times, grid.bucketOf(signal.event_time - 1)) - 1
    const said = place < 0 ? null : saidOf(signal, role, symbol)
    if (!said) continue
    const { what, short, ...looks } = said
    const letter = strategyMark(signal)
    const text = what + BY + letter
    const texts = [what + BY + strategyTitle(signal), text, short ? short + BY + letter : letter]
    if (short) texts.push(short)
    markers.push({
      ...looks, text, texts, must: short !== "", time: at(times[place]), id: signal.signal_id,
    })
  }
  return markers.sort((a, b) => Number(a.time) - Number(b.time))
}

/**
 * @param {Signal} signal
 * @param {Role} role
 * @param {string} symbol
 * @returns {Pick<Marker, "position" | "shape" | "color"> & {what: string, short: string} | null}
 */
function saidOf(signal, role, symbol) {
  if (role === "index")
    return signal.direction === "BULLISH"
      ? { position: "belowBar", shape: "arrowUp", color: "up", what: "BULLISH", short: "" }
      : { position: "aboveBar", shape: "arrowDown", color: "down", what: "BEARISH", short: "" }
  if (signal.symbol === symbol) {
    const buy = isDelayed(signal) ? "DELAYED BUY" : "BUY"
    return {
      position: "belowBar", shape: "arrowUp", color: "buy", what: `${buy} ${markerName(symbol)}`,
      short: buy,
    }
  }
  const suggested = parseOption(signal.symbol)
  const shown = parseOption(symbol)
  if (!suggested || suggested.letter !== shown?.letter || suggested.expiry !== shown.expiry)
    return null
  return {
    position: "aboveBar", shape: "circle", color: "aside", short: "",
    what: `\u2192 ${markerName(signal.symbol)}`,
  }
}
