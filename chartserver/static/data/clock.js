/** @import { ClockAnswer } from "./types.js" */

/** Differences up to this many of the viewer's seconds are the network's. */
const SLACK_SECONDS = 0.25

/**
 * Market time in the browser: a straight line through the moment the server last told it. The
 * viewer's own clock may be wrong, so only elapsed time is taken from it.
 */
export class Clock {
  constructor() {
    this.speed = 1
    this.anchor = NaN
    this.told = 0
  }

  /** Whether the server has told the time yet. */
  get known() {
    return !Number.isNaN(this.anchor)
  }

  /**
   * @param {number | undefined} now market seconds
   * @param {ClockAnswer | undefined} clock
   */
  set(now, clock) {
    if (now === undefined) return
    const speed = clock?.speed ?? this.speed
    // Whole seconds and the network's delay differ a little each time; the clock must not jitter.
    const close = Math.abs(this.now() - now) < 1.5 + SLACK_SECONDS * speed
    if (close && speed === this.speed) return
    this.anchor = now
    this.told = performance.now()
    this.speed = speed
  }

  /** Market time in seconds; NaN when unknown. */
  now() {
    return this.anchor + ((performance.now() - this.told) / 1000) * this.speed
  }
}
