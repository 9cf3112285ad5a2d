/** @import { Timeline } from "../data/timeline.js" */

/** A frame that comes later than this was held back (a hidden tab); the clock does not jump. */
const LONGEST_FRAME_SECONDS = 0.5

/** The one clock of a replay: play, pause, step, seek, speed. */
export class Player {
  /**
   * @param {Timeline} timeline
   * @param {number} time
   * @param {number} speed market seconds per second
   * @param {{moved: (time: number, jumped: boolean) => void, changed: () => void}} hooks
   */
  constructor(timeline, time, speed, hooks) {
    this.timeline = timeline
    this.time = time
    this.speed = speed
    this.hooks = hooks
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
    const { start, end } = this.timeline
    this.time = Math.min(Math.max(time, start), end)
    this.hooks.moved(this.time, true)
  }

  /** Pause and go one candle on or back. @param {1 | -1} direction */
  step(direction) {
    this.pause()
    if (direction < 0) return this.seek(this.timeline.before(this.time))
    this.time = this.timeline.after(this.time)
    this.hooks.moved(this.time, false)
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
    const offset = this.timeline.offsetOf(this.time) + elapsed * this.speed
    this.time = this.timeline.timeAt(Math.min(offset, this.timeline.length))
    this.hooks.moved(this.time, false)
    if (this.time >= this.timeline.end) this.pause()
    else this.frame = requestAnimationFrame((next) => this.tick(next))
  }

  stop() {
    this.playing = false
    cancelAnimationFrame(this.frame)
  }
}
