/** @import { IChartApi } from "lightweight-charts" */
import { LineSeries } from "lightweight-charts"
import { Drawn, at } from "./drawn.js"

/** @param {number} time */
const point = (time) => ({ time: at(time), value: 0 })

/**
 * A chart's time axis, held by an invisible series that has every time of it. So all charts have
 * the same axis whatever they show, and no change of candles can move it.
 *
 * It also keeps a defect of the library away (5.2.1): when a chart has one series with data and
 * that is set again at the very same times, its list of time points keeps the old ones; the next
 * change of another series then throws most points away, and the chart jumps to a range of long
 * ago, or draws nothing ("Value is null"). With this series there are never candles alone, and it is
 * itself set only when its times differ.
 */
export class Axis {
  /** @param {IChartApi} chart */
  constructor(chart) {
    this.drawn = new Drawn(chart.addSeries(LineSeries, { visible: false, priceScaleId: "axis" }))
    /** @type {number[]} */
    this.times = []
  }

  /** @param {readonly number[]} times ascending */
  set(times) {
    const added = this.addition(times)
    if (added) return this.extend(added)
    this.times = times.slice()
    this.drawn.set(this.times.map(point))
  }

  /** @param {readonly number[]} times ascending, later than all so far */
  extend(times) {
    this.times.push(...times)
    if (times.length && !this.drawn.renew(times[0], times.map(point)))
      this.drawn.set(this.times.map(point))
  }

  /** Keep only so many times from the first on. @param {number} length */
  cut(length) {
    if (length >= this.times.length) return
    this.drawn.renew(this.times[length], [])
    this.times.length = length
  }

  /**
   * What follows the times that it has; null when those differ.
   * @param {readonly number[]} times
   */
  addition(times) {
    const { length } = this.times
    const same = times.length >= length && this.times.every((time, i) => time === times[i])
    return same && length ? times.slice(length) : null
  }
}
