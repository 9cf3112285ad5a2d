/** @import { Signal } from "./types.js" */

/** How late the sources say they are, in market seconds. */
let late = 0

/** @param {number | null | undefined} seconds what the server's status tells; null if nothing does */
export function setDelay(seconds) {
  late = seconds ?? 0
}

/**
 * Whether a signal comes from late data: it became known so much later than it was one.
 * @param {Pick<Signal, "event_time" | "known_at">} signal
 */
export const isDelayed = ({ event_time, known_at }) => late > 0 && known_at - event_time >= late
