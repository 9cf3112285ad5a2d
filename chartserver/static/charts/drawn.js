/** @import { UTCTimestamp } from "lightweight-charts" */

/**
 * A chart series and the time of its last point. A chart takes changes at its end cheaply and
 * refuses older ones, so the caller asks first and draws the whole series when it must.
 * @template {{time: any}} T
 */
export class Drawn {
  /** @param {{setData(data: any[]): void, update(item: any): void}} series */
  constructor(series) {
    this.series = series
    this.last = -Infinity
  }

  /** @param {T[]} points all of them, ascending */
  set(points) {
    this.series.setData(points)
    this.last = points.length ? Number(points[points.length - 1].time) : -Infinity
  }

  /**
   * Draw points at the end; refuses, drawing nothing, when one is older than the last drawn.
   * @param {T[]} points ascending
   */
  extend(points) {
    if (points.length && Number(points[0].time) < this.last) return false
    for (const point of points) {
      this.series.update(point)
      this.last = Number(point.time)
    }
    return true
  }
}

/** The chart library's own type of a time. @param {number} time */
export const at = (time) => /** @type {UTCTimestamp} */ (time)
