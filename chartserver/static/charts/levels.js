/** @import { IChartApi, IPriceLine, ISeriesApi, SeriesType } from "lightweight-charts" */
/** @import { Candle } from "../data/types.js" */
/** @import { CandleTable } from "../data/candles.js" */
/** @import { Hours } from "../data/hours.js" */
import { LineSeries, LineStyle } from "lightweight-charts"
import { exponentialMean, openingRange, sessionVwap } from "../data/levels.js"
import { at } from "./drawn.js"
import { COLORS } from "./theme.js"

/**
 * What the levels of one chart are made from.
 * @typedef {object} LevelInput
 * @property {Set<string>} chosen
 * @property {readonly Candle[]} bars as displayed
 * @property {CandleTable | null} table as stored
 * @property {number} start time from which on curves are drawn
 * @property {number} minutes
 * @property {Hours} hours
 * @property {{session: string, high: number, low: number, close: number} | null} previous
 */

const CURVES = /** @type {const} */ (["vwap", "ema9", "ema21"])
const NAMES = { vwap: "VWAP", ema9: "EMA 9", ema21: "EMA 21" }

/** Prices that a trader watches: the previous day's, the opening range, means. */
export class Levels {
  /** @param {IChartApi} chart @param {ISeriesApi<SeriesType>} series */
  constructor(chart, series) {
    this.chart = chart
    this.series = series
    /** @type {Map<string, IPriceLine>} */
    this.lines = new Map()
    /** @type {Map<string, ISeriesApi<"Line">>} */
    this.curves = new Map()
    this.drawn = ""
    /** Points that each curve has; few at the end are cheap to change. @type {Map<string, number>} */
    this.counts = new Map()
  }

  /** Older candles changed: draw the curves anew. */
  reset() {
    this.drawn = ""
    this.counts.clear()
  }

  recolour() {
    for (const [name, curve] of this.curves)
      curve.applyOptions({ color: COLORS[/** @type {typeof CURVES[number]} */ (name)] })
    this.reset()
  }

  /** @param {LevelInput} input */
  show(input) {
    const { bars } = input
    const newest = bars[bars.length - 1]
    const key = JSON.stringify([
      [...input.chosen], bars.length, bars[0]?.t, newest, input.minutes, input.previous,
    ])
    if (key === this.drawn) return
    this.drawn = key
    this.showLines(input)
    for (const name of CURVES) this.showCurve(name, input)
  }

  /** @param {LevelInput} input */
  showLines({ chosen, table, hours, previous }) {
    /** @type {Map<string, number>} */
    const wanted = new Map()
    if (chosen.has("previous") && previous)
      wanted.set("PDH", previous.high).set("PDL", previous.low).set("PDC", previous.close)
    const opening = chosen.has("opening") && table ? openingRange(table, hours) : null
    if (opening) wanted.set("ORH", opening.high).set("ORL", opening.low)
    for (const [title, line] of this.lines)
      if (!wanted.has(title)) {
        this.series.removePriceLine(line)
        this.lines.delete(title)
      }
    for (const [title, price] of wanted) {
      const color = title.startsWith("PD") ? COLORS.previous : COLORS.opening
      const options = {
        price, title, color, axisLabelVisible: true, lineWidth: /** @type {1} */ (1),
        lineStyle: LineStyle.Dashed,
      }
      const line = this.lines.get(title)
      if (line) line.applyOptions(options)
      else this.lines.set(title, this.series.createPriceLine(options))
    }
  }

  /** @param {typeof CURVES[number]} name @param {LevelInput} input */
  showCurve(name, { chosen, bars, table, start, minutes, hours }) {
    const curve = this.curves.get(name)
    if (!chosen.has(name)) {
      this.counts.delete(name)
      return curve?.setData([])
    }
    const all = name === "vwap"
      ? (table ? sessionVwap(table, bars, minutes, hours) : [])
      : exponentialMean(bars, Number(name.slice(3)))
    const points = all.filter(({ time }) => time >= start)
    const drawn = curve ?? this.addCurve(name)
    const before = this.counts.get(name) ?? 0
    this.counts.set(name, points.length)
    const added = points.length - before
    if (before < 2 || added < 0 || added > 1) return drawn.setData(points.map(pointOf))
    // A chart takes only its last point or later ones.
    for (const point of points.slice(before - 1)) drawn.update(pointOf(point))
  }

  /** @param {typeof CURVES[number]} name */
  addCurve(name) {
    const curve = this.chart.addSeries(LineSeries, {
      color: COLORS[name], lineWidth: 1, lastValueVisible: false, priceLineVisible: false,
      crosshairMarkerVisible: false, title: NAMES[name],
      priceFormat: this.series.options().priceFormat,
      // The candles alone decide what is visible of the price axis.
      autoscaleInfoProvider: () => null,
    })
    this.curves.set(name, curve)
    return curve
  }
}

/** @param {import("../data/levels.js").LevelPoint} point */
const pointOf = ({ time, value }) =>
  (value === null ? { time: at(time) } : { time: at(time), value })
