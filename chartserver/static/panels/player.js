/** @import { Timeline } from "../data/timeline.js" */

/** A frame that comes later than this was held back (a hidden tab); the clock does not jump. */
const LONGEST_FRAME_SECONDS = 0.5

/**
 * The one clock of a replay: play, pause, step, seek, speed. It stands where the page shows it: a
 * moment whose contracts must be read first is shown when they are there, and until then the clock
 * waits.
 */
export class Player {
  /**
   * @param {Timeline} timeline
   * @param {number} speed market seconds per second
   * @param {object} hooks
   * @param {(time: number, jumped: boolean) => boolean} hooks.show false when it cannot be shown yet
   * @param {() => void} hooks.changed
   */
  constructor(timeline, speed, hooks) {
    this.timeline = timeline
    this.speed = speed
    this.hooks = hooks
    /** The moment on show. */
    this.time = NaN
    /** @type {number | null} a moment that cannot be shown yet */
    this.goal = null
    this.playing = false
    this.frame = 0
    this.ticked = 0
  }

  play() {
    if (this.playing || !this.timeline.length) return
    if (this.time >= this.timeline.end) this.seek(this.timeline.start)
    this.playing = true
    this.ticked = performance.now()
    this.frame = requestAnimationFrame((now) => this.tick(now))
    this.hooks.changed()
  }

  pause() {
    if (!this.playing) return
    this.playing = false
    cancelAnimationFrame(this.frame)
    this.hooks.changed()
  }

  toggle() {
    if (this.playing) this.pause()
    else this.play()
  }

  /** @param {number} time */
  seek(time) {
    const goal = this.timeline.clamp(time)
    this.goal = goal
    if (!this.hooks.show(goal, true)) return
    this.time = goal
    this.goal = null
  }

  /** What was waited for may be there. */
  arrived() {
    if (this.goal !== null) this.seek(this.goal)
  }

  /** Pause and go to another moment. @param {number} time */
  step(time) {
    this.pause()
    this.seek(time)
  }

  /** @param {number} speed */
  setSpeed(speed) {
    this.speed = speed
    this.hooks.changed()
  }

  /** @param {number} now milliseconds */
  tick(now) {
    const elapsed = Math.min(Math.max(0, now - this.ticked) / 1000, LONGEST_FRAME_SECONDS)
    this.ticked = now
    if (this.goal === null) {
      const offset = this.timeline.offsetOf(this.time) + elapsed * this.speed
      const next = this.timeline.timeAt(Math.min(offset, this.timeline.length))
      if (this.hooks.show(next, false)) this.time = next
    }
    if (this.time >= this.timeline.end) this.pause()
    else if (this.playing) this.frame = requestAnimationFrame((next) => this.tick(next))
  }

  stop() {
    this.playing = false
    this.goal = null
    cancelAnimationFrame(this.frame)
  }
}
