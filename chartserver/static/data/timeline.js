/** @import { HistoryAnswer } from "./types.js" */
/** @import { Hours } from "./hours.js" */
import { lowerBound, upperBound } from "../lib/search.js"
import { dayOf } from "./hours.js"

const LATE_SECONDS = 3600

/** A session of a range, from its open until all of it was known. @typedef {{from: number, to: number, offset: number}} Part */

/**
 * The replay's own time: the sessions of a range joined end to end, nights left out. Offsets are
 * seconds of it, from 0 to `length`.
 */
export class Timeline {
  /**
   * @param {HistoryAnswer | null} answer of /api/replay
   * @param {Hours} hours
   */
  constructor(answer, hours) {
    this.hours = hours
    /** Rows that became known too late to count as part of their session. */
    this.late = 0
    /** @type {Map<number, {from: number, to: number}>} */
    const days = new Map()
    /** @param {number} time @param {number} known */
    const cover = (time, known) => {
      const day = dayOf(time)
      const span = days.get(day) ?? { from: Math.min(hours.openOf(time), time), to: time }
      span.from = Math.min(span.from, time)
      // Rows healed long after must not stretch the session they belong to.
      const late = known > time + LATE_SECONDS
      if (late) this.late++
      span.to = Math.max(span.to, late ? time : known)
      days.set(day, span)
    }
    const { candles = {}, build_ups = {}, signals = [], symbols } = answer ?? {}
    const columns = [...Object.values(candles), ...Object.values(build_ups)]
    for (const { t, k } of columns) t.forEach((time, i) => cover(time, k?.[i] ?? time))
    for (const { event_time, known_at } of signals) cover(event_time - 1, known_at)
    let offset = 0
    /** @type {Part[]} */
    this.sessions = [...days].sort(([a], [b]) => a - b).map(([, span]) => {
      const session = { ...span, offset }
      offset += span.to - span.from
      return session
    })
    this.length = offset
    this.index = candles[symbols?.index ?? ""] ?? columns[0] ?? { t: [] }
    /** @type {Map<number, number[]>} by minutes */
    this.steps = new Map()
  }

  get start() {
    return this.sessions[0]?.from ?? NaN
  }

  get end() {
    return this.sessions[this.sessions.length - 1]?.to ?? NaN
  }

  /** The session that a time is in, or the one before it. @param {number} time */
  sessionOf(time) {
    const place = upperBound(this.sessions.map((session) => session.from), time) - 1
    return this.sessions[Math.max(0, place)] ?? null
  }

  /** The session after the one of a time. @param {number} time */
  nextSession(time) {
    return this.sessions.find((session) => session.from > time) ?? null
  }

  /** The nearest time that is in a session. @param {number} time */
  clamp(time) {
    const session = this.sessionOf(time)
    return session ? Math.min(Math.max(time, session.from), session.to) : time
  }

  /** @param {number} time */
  offsetOf(time) {
    const session = this.sessionOf(time)
    return session ? session.offset + this.clamp(time) - session.from : 0
  }

  /** @param {number} offset */
  timeAt(offset) {
    const starts = this.sessions.map((session) => session.offset)
    const session = this.sessions[Math.max(0, upperBound(starts, offset) - 1)]
    if (!session) return NaN
    return Math.min(session.to, session.from + Math.max(0, offset - session.offset))
  }

  /**
   * Moments at which a candle of the index was complete, ascending; a session's last one may be
   * shorter.
   * @param {number} minutes of a candle
   */
  stepsOf(minutes) {
    const made = this.steps.get(minutes)
    if (made) return made
    /** @type {Map<number, number>} when the last row of each bucket was known */
    const buckets = new Map()
    const { t, k = t } = this.index
    t.forEach((time, i) => {
      if (k[i] > time + LATE_SECONDS) return
      const bucket = this.hours.bucketOf(time, minutes)
      buckets.set(bucket, Math.max(buckets.get(bucket) ?? 0, k[i]))
    })
    const steps = [...new Set(buckets.values())].sort((a, b) => a - b)
    this.steps.set(minutes, steps)
    return steps
  }

  /** The next moment with a whole candle more. @param {number} time @param {number} minutes */
  after(time, minutes) {
    const steps = this.stepsOf(minutes)
    return steps[upperBound(steps, time)] ?? this.end
  }

  /** The moment with one candle less. @param {number} time @param {number} minutes */
  before(time, minutes) {
    const steps = this.stepsOf(minutes)
    return steps[lowerBound(steps, time) - 1] ?? this.start
  }
}
