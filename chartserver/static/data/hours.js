/** @import { SessionHours } from "./types.js" */

/** 09:15 IST as seconds after the Indian midnight: where a day without known hours begins. */
const USUAL_OPEN = 33_300
const IST_OFFSET = 19_800
const DAY = 86_400

/** The Indian day that holds a time, counted from 1970. @param {number} time */
export const dayOf = (time) => Math.floor((time + IST_OFFSET) / DAY)

/**
 * When sessions open and close. Candles of every interval are anchored at the open of their own
 * session, so a Muhurat evening has its hours from its own first minute on.
 */
export class Hours {
  constructor() {
    /** @type {Map<number, SessionHours>} */
    this.days = new Map()
  }

  /** @param {readonly SessionHours[]} sessions added to those already known */
  learn(sessions) {
    for (const hours of sessions) this.days.set(dayOf(hours.open), hours)
  }

  /** Open of the session that holds a time. @param {number} time */
  openOf(time) {
    const day = dayOf(time)
    return this.days.get(day)?.open ?? day * DAY - IST_OFFSET + USUAL_OPEN
  }

  /** Close of the session that holds a time; null where it is not known. @param {number} time */
  closeOf(time) {
    return this.days.get(dayOf(time))?.close ?? null
  }

  /**
   * Start of the bucket that holds a time.
   * @param {number} time
   * @param {number} minutes
   */
  bucketOf(time, minutes) {
    const open = this.openOf(time)
    const width = minutes * 60
    return open + Math.floor((time - open) / width) * width
  }
}
