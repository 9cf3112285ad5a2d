/** @import { Store } from "./store.js" */
/** @import { Ladder } from "./types.js" */
import { ApiError, getJson } from "./api.js"
import { GrowingPause } from "../lib/pause.js"

/** Between two ladders while the clock runs, in milliseconds. */
const PAUSE_MS = 500
/** Ladders kept, so that steps back and forth find theirs. */
const KEPT = 60

/**
 * The strike ladder as it was known at the replay's moment. One of another moment is never in its
 * place: not after a jump, and never a later one; while the clock runs it follows and says its time.
 */
export class PastLadder {
  /** @param {Store} store @param {() => void} changed */
  constructor(store, changed) {
    this.store = store
    this.changed = changed
    /** @type {Map<string, Ladder>} */
    this.kept = new Map()
    /** @type {{underlying: string, expiry: string | null, at: number} | null} what is wanted */
    this.wanted = null
    this.busy = false
    /** What the server said it has no ladder for; not asked again. */
    this.refused = ""
    this.pause = new GrowingPause()
    /** Why that of the moment is not there. */
    this.trouble = ""
  }

  /** Another range. */
  forget() {
    this.kept.clear()
    this.wanted = null
    this.trouble = this.refused = ""
    this.pause.end()
    this.store.clearLadder()
  }

  /** The clock jumped: what is there is of another moment. @param {number} time */
  leave(time) {
    const { ladder } = this.store
    if (ladder && ladder.at !== Math.floor(time)) this.store.clearLadder()
  }

  /**
   * Show the ladder of a moment, at once if it is there.
   * @param {string} underlying
   * @param {string | null} expiry
   * @param {number} time
   */
  follow(underlying, expiry, time) {
    const wanted = { underlying, expiry, at: Math.floor(time) }
    const { ladder } = this.store
    if (ladder && (ladder.expiry !== expiry || (ladder.at ?? 0) > time)) this.store.clearLadder()
    const key = JSON.stringify(wanted)
    if (expiry === null || sameAs(wanted, ladder)) {
      this.wanted = null
      this.trouble = ""
      return
    }
    if (key === this.refused || key === JSON.stringify(this.wanted)) return
    this.wanted = wanted
    const kept = this.kept.get(key)
    if (kept) this.show(kept)
    else if (!this.busy) void this.read()
  }

  async read() {
    this.busy = true
    while (this.wanted) {
      const wanted = this.wanted
      const key = JSON.stringify(wanted)
      try {
        const answer = await getJson("/api/chain", wanted)
        this.trouble = ""
        this.pause.end()
        this.keep(key, answer)
        if (isStillOf(this.wanted, answer)) this.show(answer)
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error)
        if (error instanceof ApiError && error.away) {
          const seconds = this.pause.next()
          this.say(`${message} Trying again in ${seconds} s.`)
          await this.pause.wait(seconds)
          continue
        }
        if (!(error instanceof ApiError)) console.error(error)
        this.refused = key
        this.say(message)
      }
      if (this.wanted === wanted) this.wanted = null
      else await new Promise((done) => setTimeout(done, PAUSE_MS))
    }
    this.busy = false
  }

  /** @param {string} trouble */
  say(trouble) {
    this.trouble = trouble
    this.changed()
  }

  /** @param {string} key @param {Ladder} ladder */
  keep(key, ladder) {
    this.kept.set(key, ladder)
    for (const oldest of this.kept.keys()) if (this.kept.size > KEPT) this.kept.delete(oldest)
  }

  /** @param {Ladder} ladder */
  show(ladder) {
    this.store.putLadder({ ...ladder, whole: true })
    this.changed()
  }
}

/** @typedef {{underlying: string, expiry: string | null, at: number}} Wanted */

/** @param {Wanted} wanted @param {Ladder | null} ladder */
const sameAs = ({ underlying, expiry, at }, ladder) =>
  ladder?.underlying === underlying && ladder.expiry === expiry && ladder.at === at

/** Whether a ladder may stand where a newer one is wanted. @param {Wanted | null} wanted @param {Ladder} ladder */
const isStillOf = (wanted, ladder) =>
  wanted !== null && ladder.underlying === wanted.underlying && ladder.expiry === wanted.expiry &&
  (ladder.at ?? Infinity) <= wanted.at
