/** @import { Channel } from "./channel.js" */
/** @import { StreamEvent, Tell } from "./switchboard.js" */
/** @import { Signal } from "./types.js" */
import { openChannel } from "./channel.js"
import { Clock } from "./clock.js"
import { GrowingPause } from "../lib/pause.js"

/** So long a page waits for the stream before it reads. */
const PATIENCE_MS = 5000

/**
 * What a page that reads once hears of the stream: the market's time, whether signals changed since
 * it read, and whether it can know that at all.
 */
export class News {
  /**
   * @param {object} hooks
   * @param {(signal: Signal) => boolean} hooks.concerns whether a signal belongs to what was read
   * @param {() => void} hooks.changed
   */
  constructor(hooks) {
    this.hooks = hooks
    this.clock = new Clock()
    /** Whether the database may have other signals than were read. */
    this.newer = false
    /** Why it is not known. */
    this.trouble = ""
    this.pause = new GrowingPause()
    /** @type {Channel | null} */
    this.channel = null
    /** Whether anything was read. */
    this.begun = false
    /** Whether events may have been missed: they may until the stream is open. */
    this.missed = true
    /** The stream is open, or it takes too long: then what it brings first is not waited for. */
    this.ready = new Promise((/** @type {(value?: unknown) => void} */ done) => {
      this.opened = done
      setTimeout(done, PATIENCE_MS)
    })
  }

  /** Hear of an underlying, from now on. @param {string} underlying */
  follow(underlying) {
    this.underlying = underlying
    this.channel ??= openChannel((tell) => this.hear(tell))
    this.channel.post({ kind: "watch", underlying })
    this.channel.post({ kind: "follow", since: "", ladder: null })
  }

  /** The page is put away: leave the stream to the others. */
  leave() {
    this.channel?.close()
    this.channel = null
    this.missed = true
  }

  /** All is read anew: what comes from now on is newer. */
  begin() {
    this.begun = true
    this.newer = false
  }

  /** @param {Tell} tell */
  hear(tell) {
    if (tell.kind === "events") {
      for (const event of tell.events) this.take(event)
      this.channel?.post({ kind: "got", count: tell.events.length })
    } else if (tell.kind === "lagged") this.newer = true
    else if (tell.kind === "state") void this.heard(tell)
    this.hooks.changed()
  }

  /** @param {StreamEvent} event */
  take([name, data]) {
    if (name === "status") this.clock.set(data.now, data.clock)
    else if (name === "reset" || (name === "signal" && this.hooks.concerns(data))) this.newer = true
  }

  /** @param {Extract<Tell, {kind: "state"}>} tell */
  async heard({ state, message }) {
    if (state === "open") {
      this.trouble = ""
      this.newer ||= this.missed && this.begun
      this.missed = false
      this.opened?.()
      return this.pause.end()
    }
    if (state === "interrupted") {
      this.trouble = "The connection broke; the browser is resuming it."
      return
    }
    this.missed = true
    this.opened?.()
    const seconds = this.pause.next()
    this.trouble = `${message} Trying again in ${seconds} s.`
    await this.pause.wait(seconds)
    this.follow(this.underlying ?? "")
  }
}
