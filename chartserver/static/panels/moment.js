import { element } from "../lib/dom.js"
import * as format from "../lib/format.js"
import { parseOption } from "../data/symbols.js"

/**
 * A link to the replay of a session, paused at a moment, on a contract's strike if there is one.
 * @param {string} underlying
 * @param {string} symbol
 * @param {number} time
 */
export function replayLink(underlying, symbol, time) {
  const day = format.isoDate(time)
  const query = new URLSearchParams({
    underlying, from: day, to: day, strike: String(parseOption(symbol)?.strike ?? ""),
    t: String(time),
  })
  const link = element("a", {
    textContent: `${format.second(time)} \u25b8`, testId: "replay-moment",
  })
  link.href = `/replay?${query}`
  link.setAttribute("aria-label", `Replay ${format.second(time)} IST of ${day}`)
  return link
}
