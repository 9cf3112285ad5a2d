/** @import { CandlestickData, HistogramData, SeriesMarker, Time } from "lightweight-charts" */
/** @import { Candle, Role, Signal } from "../data/types.js" */
/** @import { CandleTable } from "../data/candles.js" */
/** @import { BuildUpTable } from "../data/buildups.js" */
/** @import { TimeGrid } from "../data/grid.js" */
import {
  CandlestickSeries, HistogramSeries, LineSeries, createChart, createSeriesMarkers,
} from "lightweight-charts"
import { aggregate, bucketOf } from "../data/aggregate.js"
import { Drawn, at } from "./drawn.js"
import { chooseMarkers, markersOf } from "./markers.js"
import { openInterest } from "./openinterest.js"
import { fitPanes } from "./panes.js"
import { StripView, stripColumns } from "./strip.js"
import { CHART_OPTIONS, COLORS, COUNT_FORMAT, PREMIUM_FORMAT, PRICE_FORMAT } from "./theme.js"

/** From so many candles on the chart may merge those that share a pixel. */
const MANY_CANDLES = 20_000

/** @param {Candle} bar @returns {CandlestickData<Time>} */
const candleOf = (bar) => ({ time: at(bar.t), open: bar.o, high: bar.h, low: bar.l, close: bar.c })

/** @param {Candle} bar @returns {HistogramData<Time>} */
const volumeOf = (bar) => ({
  time: at(bar.t), value: bar.v ?? 0, color: bar.c >= bar.o ? COLORS.upVolume : COLORS.downVolume,
})

/** One chart: candles and markers; for an option also volume, open interest and the strip. */
export class PriceChart {
  /**
   * @param {HTMLElement} container
   * @param {Role} role
   */
  constructor(container, role) {
    this.role = role
    this.symbol = ""
    /** @type {Candle[]} candles as displayed */
    this.bars = []
    /** @type {SeriesMarker<Time>[]} */
    this.markers = []
    /** Which of the markers the chart has. */
    this.handed = ""
    this.chart = createChart(container, CHART_OPTIONS)
    const candles = this.chart.addSeries(CandlestickSeries, {
      upColor: COLORS.up, downColor: COLORS.down, wickUpColor: COLORS.up,
      wickDownColor: COLORS.down, borderVisible: false,
      priceFormat: role === "index" ? PRICE_FORMAT : PREMIUM_FORMAT,
    })
    this.series = candles
    this.candles = new Drawn(candles)
    this.markerLayer = createSeriesMarkers(candles, [], { autoScale: false })
    // Holds the times at which this instrument has no candle, so that all charts share one axis.
    const axis = this.chart.addSeries(LineSeries, { visible: false, priceScaleId: "axis" })
    this.axis = new Drawn(axis)
    const bottom = role === "index" ? 0.08 : 0.24
    candles.priceScale().applyOptions({ scaleMargins: { top: 0.12, bottom } })
    if (role !== "index") this.addOptionSeries(container)
    this.chart.timeScale().subscribeVisibleLogicalRangeChange(() => this.showMarkers())
  }

  /** @param {HTMLElement} container */
  addOptionSeries(container) {
    const volume = this.chart.addSeries(HistogramSeries, {
      priceScaleId: "volume", priceFormat: COUNT_FORMAT, lastValueVisible: false,
      priceLineVisible: false,
    })
    volume.priceScale().applyOptions({ scaleMargins: { top: 0.8, bottom: 0 } })
    this.volume = new Drawn(volume)
    const strip = this.chart.addCustomSeries(new StripView(), {
      priceScaleId: "strip", lastValueVisible: false, priceLineVisible: false,
    }, 1)
    this.strip = new Drawn(strip)
    const interest = this.chart.addSeries(LineSeries, {
      color: COLORS.openInterest, lineWidth: 2, priceFormat: COUNT_FORMAT, priceLineVisible: false,
    }, 2)
    interest.priceScale().applyOptions({ scaleMargins: { top: 0.18, bottom: 0.12 } })
    this.interest = new Drawn(interest)
    fitPanes(this.chart, container)
  }

  /**
   * Draw everything anew.
   * @param {string} symbol
   * @param {CandleTable | null} table
   * @param {BuildUpTable | null} buildUps
   * @param {TimeGrid} grid
   */
  drawAll(symbol, table, buildUps, grid) {
    this.symbol = symbol
    this.bars = table ? aggregate(table, grid.minutes) : []
    this.chart.timeScale().applyOptions({ enableConflation: this.bars.length > MANY_CANDLES })
    this.drawBars()
    this.drawAxis(grid)
    this.drawBuildUps(buildUps, grid)
  }

  drawBars() {
    this.candles.set(this.bars.map(candleOf))
    this.volume?.set(this.bars.map(volumeOf))
  }

  /** @param {TimeGrid} grid */
  drawAxis(grid) {
    let next = 0
    const missing = grid.times.filter((time) => {
      while (this.bars[next]?.t < time) next++
      return this.bars[next]?.t !== time
    })
    this.axis.set(missing.map((time) => ({ time: at(time), value: 0 })))
  }

  /**
   * @param {BuildUpTable | null} buildUps
   * @param {TimeGrid} grid
   */
  drawBuildUps(buildUps, grid) {
    this.interest?.set(openInterest(this.bars, buildUps, grid))
    this.strip?.set(buildUps ? stripColumns(buildUps, grid) : [])
  }

  /**
   * Draw candles that changed, cheaply when they are at the end.
   * @param {CandleTable} table
   * @param {BuildUpTable | null} buildUps
   * @param {number} from open time of the first changed candle
   * @param {TimeGrid} grid
   */
  drawCandles(table, buildUps, from, grid) {
    const bars = aggregate(table, grid.minutes, from)
    const first = bucketOf(from, grid.minutes)
    while (this.bars.length && this.bars[this.bars.length - 1].t >= first) this.bars.pop()
    for (const bar of bars) this.bars.push(bar)
    if (this.candles.extend(bars.map(candleOf))) this.volume?.extend(bars.map(volumeOf))
    else this.drawBars()
    if (!this.interest) return
    const points = bars.filter((bar) => bar.oi !== null)
    const drawn = points.map((bar) => ({ time: at(bar.t), value: /** @type {number} */ (bar.oi) }))
    if (!this.interest.extend(drawn)) this.interest.set(openInterest(this.bars, buildUps, grid))
  }

  /**
   * Draw build-ups that changed.
   * @param {BuildUpTable} table
   * @param {number} from open time of the first changed one
   * @param {TimeGrid} grid
   */
  drawChangedBuildUps(table, from, grid) {
    const start = bucketOf(from, grid.minutes)
    const interest = this.interest?.extend(openInterest(this.bars, table, grid, start))
    const strip = this.strip?.extend(stripColumns(table, grid, start))
    if (!interest || !strip) this.drawBuildUps(table, grid)
  }

  /** Hold new times of the axis at which there is no candle. @param {number[]} times ascending */
  extendAxis(times) {
    const held = new Set(this.bars.slice(-times.length - 1).map((bar) => bar.t))
    const missing = times.filter((time) => !held.has(time))
    this.axis.extend(missing.map((time) => ({ time: at(time), value: 0 })))
  }

  /**
   * @param {Signal[]} signals
   * @param {number} minutes
   */
  drawMarkers(signals, minutes) {
    this.markers = markersOf(signals, this.role, this.symbol, this.bars, minutes)
    this.handed = ""
    this.showMarkers()
  }

  showMarkers() {
    const scale = this.chart.timeScale()
    const range = scale.getVisibleRange()
    const visible = range && { from: Number(range.from), to: Number(range.to) }
    const { markers, key } = chooseMarkers(this.markers, visible, scale.width())
    if (key === this.handed) return
    this.handed = key
    this.markerLayer.setMarkers(markers)
  }
}
