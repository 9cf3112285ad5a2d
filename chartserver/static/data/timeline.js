/** @import { HistoryAnswer } from "./types.js" */
import { ANCHOR } from "./aggregate.js"
import { lowerBound, upperBound } from "../lib/search.js"

const DAY = 86_400
const LATE_SECONDS = 3600

/**
 * The replay's own time: the sessions of a range joined end to end, nights left out. Offsets are
 * seconds of it, from 0 to `length`.
 */
export class Timeline {
  /** @param {HistoryAnswer} answer of /api/replay */
  constructor(answer) {
    const columns = [...Object.values(answer.candles), ...Object.values(answer.build_ups)]
    /** Rows that became known too late to count as part of their session. */
    this.late = 0
    /** @type {Map<number, {from: number, to: number}>} */
    const days = new Map()
    for (const { t, k } of columns)
      t.forEach((time, i) => {
        const day = Math.floor(time / DAY) * DAY
        const span = days.get(day) ?? { from: Math.min(day + ANCHOR, time), to: time }
        span.from = Math.min(span.from, time)
        const known = k?.[i] ?? time
        // Rows healed long after must not stretch the session they belong to.
        const late = known > time + LATE_SECONDS
        if (late) this.late++
        span.to = Math.max(span.to, late ? time : known)
        days.set(day, span)
      })
    let offset = 0
    this.sessions = [...days].sort(([a], [b]) => a - b).map(([, span]) => {
      const session = { ...span, offset }
      offset += span.to - span.from
      return session
    })
    this.length = offset
    const index = answer.candles[answer.symbols.index ?? ""] ?? columns[0]
    /** Moments at which a candle of the index became known, each once. */
    this.steps = [...new Set((index?.k ?? index?.t ?? []).toSorted((a, b) => a - b))]
  }

  get start() {
    return this.sessions[0]?.from ?? NaN
  }

  get end() {
    return this.sessions[this.sessions.length - 1]?.to ?? NaN
  }

  /** @param {number} time */
  offsetOf(time) {
    const starts = this.sessions.map((session) => session.from)
    const session = this.sessions[Math.max(0, upperBound(starts, time) - 1)]
    if (!session) return 0
    return session.offset + Math.min(Math.max(0, time - session.from), session.to - session.from)
  }

  /** @param {number} offset */
  timeAt(offset) {
    const starts = this.sessions.map((session) => session.offset)
    const session = this.sessions[Math.max(0, upperBound(starts, offset) - 1)]
    if (!session) return NaN
    return Math.min(session.to, session.from + Math.max(0, offset - session.offset))
  }

  /** The next moment with a new candle. @param {number} time */
  after(time) {
    return this.steps[upperBound(this.steps, time)] ?? this.end
  }

  /** The moment with one candle less. @param {number} time */
  before(time) {
    return this.steps[lowerBound(this.steps, time) - 1] ?? this.start
  }
}
