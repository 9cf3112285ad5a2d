/** Seconds before each further attempt. */
const WAITS = [1, 2, 4, 8, 15, 30]

/**
 * How long to leave a server alone that did not answer: longer each time, until it does.
 */
export class GrowingPause {
  constructor() {
    /** Attempts that failed since the last answer. */
    this.attempts = 0
    /** Ends the wait that is on. */
    this.wake = () => {}
  }

  /** An attempt failed. @returns {number} seconds until the next one, for people */
  next() {
    return WAITS[Math.min(this.attempts++, WAITS.length - 1)]
  }

  /** There was an answer, or something else is asked: no reason to wait. */
  end() {
    this.attempts = 0
    this.wake()
  }

  /** @param {number} seconds */
  async wait(seconds) {
    await new Promise((/** @type {(value?: unknown) => void} */ done) => {
      this.wake = done
      // A little randomness keeps a restarted server from meeting all its pages at once.
      setTimeout(done, seconds * (800 + 400 * Math.random()))
    })
  }
}
