/** @import { ApiError } from "../data/api.js" */
/** @import { Notice } from "./notice.js" */
/** @import { Connection } from "../data/live.js" */

/**
 * Say in words what the charts alone cannot: why there is nothing to see.
 * @param {object} now
 * @param {Connection} now.state
 * @param {string} now.message
 * @param {ApiError} [now.error]
 * @param {boolean} now.empty no candle is stored
 * @param {boolean} now.closed the market is closed
 * @param {string} now.underlying
 * @param {boolean} now.chosen the user fixed a strike or an expiry
 * @param {() => void} retry
 * @param {() => void} back forget the fixed strike and expiry
 * @returns {Notice | null}
 */
export function noticeFor(now, retry, back) {
  const again = { label: "Try again now", run: retry }
  if (now.state === "refused")
    return {
      kind: "refused",
      title: now.error?.status === 401 || now.error?.status === 403
        ? "The chart server wants its token"
        : "The chart server refused this request",
      text: now.message,
      action: again,
    }
  // A fixed strike may be listed later, as before the open; nothing else can be shown until then.
  const missing = now.state === "waiting"
  if (!now.empty && !(missing && now.chosen)) return null
  if (now.state === "loading") return { kind: "loading", title: "Loading", text: now.message }
  if (now.state === "live")
    return {
      kind: "empty",
      title: `No ${now.underlying} data stored yet`,
      text: now.closed
        ? "The market is closed. Candles appear in the next session, or after an import."
        : "The page is connected and draws the first candle as soon as one is stored.",
    }
  return {
    kind: "error",
    title: missing ? "Nothing stored for this yet" : "The chart server is not reachable",
    text: now.message,
    action: missing && now.chosen ? { label: "Show ATM of the nearest expiry", run: back } : again,
  }
}
