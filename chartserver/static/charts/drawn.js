/** @import { UTCTimestamp } from "lightweight-charts" */
import { lowerBound } from "../lib/search.js"

/** From so many points on a chart is quicker given all than each of them. */
export const FEW = 12

/**
 * A chart series and the times of its points. A chart takes changes at its end cheaply, gives its
 * last points up cheaply, and refuses older changes, so the caller asks first and draws the whole
 * series when it must.
 * @template {{time: any}} T
 */
export class Drawn {
  /**
   * @param {object} series
   * @param {(data: any[]) => void} series.setData
   * @param {(item: any) => void} series.update
   * @param {(count: number) => any} series.pop
   * @param {(options: any) => void} series.applyOptions
   */
  constructor(series) {
    this.series = series
    /** @type {number[]} */
    this.times = []
  }

  /** @param {readonly T[]} points all of them, ascending */
  set(points) {
    this.series.setData(points.slice())
    this.times = points.map(({ time }) => Number(time))
  }

  /**
   * From a time on draw these points, and take away what else was there; refuses, drawing nothing,
   * when there are so many of them that drawing all is quicker.
   * @param {number} from
   * @param {readonly T[]} points ascending, none before that time
   */
  renew(from, points) {
    if (points.length > FEW) return false
    const { times } = this
    const kept = lowerBound(times, from)
    const isLast = kept === times.length - 1 && points.length > 0 && Number(points[0].time) === times[kept]
    // Only the last point is changed by an update of the same time.
    if (!isLast && kept < times.length) this.series.pop(times.length - kept)
    times.length = kept
    for (const point of points) {
      this.series.update(point)
      times.push(Number(point.time))
    }
    return true
  }
}

/** The chart library's own type of a time. @param {number} time */
export const at = (time) => /** @type {UTCTimestamp} */ (time)
