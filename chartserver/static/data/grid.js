/** @import { Hours } from "./hours.js" */
import { lowerBound, upperBound } from "../lib/search.js"
import { dayOf } from "./hours.js"

/**
 * The shared time axis: every bucket of every session seen, from its open to the newest row, with
 * the gaps. All charts use the same one, so that the same place means the same time on each.
 */
export class TimeGrid {
  /** @param {number} minutes @param {Hours} hours */
  constructor(minutes, hours) {
    this.minutes = minutes
    this.hours = hours
    /** @type {number[]} */
    this.times = []
    /** Place of the first time that is drawn: what is older waits until it is looked at. */
    this.first = 0
  }

  /** The first time that is drawn; -Infinity when all are. */
  get start() {
    return this.first > 0 ? this.times[this.first] : -Infinity
  }

  /** @param {number} time */
  bucketOf(time) {
    return this.hours.bucketOf(time, this.minutes)
  }

  /**
   * Make sure the bucket of a time is on the axis.
   * @param {number} time
   * @returns {"same" | "longer" | "changed"} "changed" when buckets appeared before the last one
   */
  cover(time) {
    const bucket = this.bucketOf(time)
    const step = this.minutes * 60
    const last = this.times.length ? this.times[this.times.length - 1] : -Infinity
    const open = this.hours.openOf(time)
    if (bucket > last) {
      const sameDay = last !== -Infinity && dayOf(last) === dayOf(bucket)
      const from = sameDay ? last + step : Math.min(open, bucket)
      for (let next = from; next <= bucket; next += step) this.times.push(next)
      return "longer"
    }
    const place = lowerBound(this.times, bucket)
    if (this.times[place] === bucket) return "same"
    const until = dayOf(this.times[place]) === dayOf(bucket) ? this.times[place] : bucket + step
    const added = []
    for (let next = Math.min(open, bucket); next < until; next += step) added.push(next)
    const before = this.times[place - 1] ?? -Infinity
    this.times.splice(place, 0, ...added.filter((next) => next > before))
    return "changed"
  }

  /** Keep only so many times from the first on. @param {number} length */
  cut(length) {
    if (length < this.times.length) this.times.length = length
  }

  /**
   * Add all times of an ascending array.
   * @param {number[]} times
   */
  coverAll(times) {
    let covered = -Infinity
    for (const time of times) {
      const bucket = this.bucketOf(time)
      if (bucket !== covered) this.cover(bucket)
      covered = bucket
    }
  }

  /** Times on the axis in [from, until). @param {number} from @param {number} until */
  between(from, until) {
    return this.times.slice(lowerBound(this.times, from), lowerBound(this.times, until))
  }

  /** The last place at or before a time; -1 when there is none. @param {number} time */
  placeOf(time) {
    return upperBound(this.times, time) - 1
  }
}
