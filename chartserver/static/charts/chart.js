/** @import { CandlestickData, HistogramData, Time } from "lightweight-charts" */
/** @import { Candle, Role, Signal } from "../data/types.js" */
/** @import { CandleTable } from "../data/candles.js" */
/** @import { BuildUpTable } from "../data/buildups.js" */
/** @import { TimeGrid } from "../data/grid.js" */
/** @import { Marker } from "./markers.js" */
import { CandlestickSeries, HistogramSeries, LineSeries, createChart } from "lightweight-charts"
import { aggregate } from "../data/aggregate.js"
import { Axis } from "./axis.js"
import { Drawn, at } from "./drawn.js"
import { Levels } from "./levels.js"
import { MarkerLayer } from "./marker-layer.js"
import { markersOf } from "./markers.js"
import { openInterest } from "./openinterest.js"
import { fitPanes } from "./panes.js"
import { PriceTag } from "./price-tag.js"
import { StripView, stripColumns } from "./strip.js"
import {
  CHART_OPTIONS, COLORS, COUNT_FORMAT, PREMIUM_FORMAT, PRICE_AXIS, PRICE_FORMAT, candleOptions,
  chartOptions,
} from "./theme.js"

/** From so many candles on the chart may merge those that share a pixel. */
const MANY_CANDLES = 20_000

/** @param {Candle} bar @returns {CandlestickData<Time>} */
const candleOf = (bar) => ({ time: at(bar.t), open: bar.o, high: bar.h, low: bar.l, close: bar.c })

/** @param {Candle} bar @returns {HistogramData<Time>} */
const volumeOf = (bar) => ({
  time: at(bar.t), value: bar.v ?? 0, color: bar.c >= bar.o ? COLORS.upVolume : COLORS.downVolume,
})

/** Candles of known volume: an unknown one has no column, not one of zero. @param {Candle[]} bars */
const volumesOf = (bars) => bars.filter((bar) => bar.v !== null).map(volumeOf)

/** One chart: candles and markers; for an option also volume, open interest and the strip. */
export class PriceChart {
  /**
   * @param {HTMLElement} container
   * @param {Role} role
   */
  constructor(container, role) {
    this.role = role
    this.symbol = ""
    /** Place on the shared axis of the first time that this chart was given. */
    this.first = 0
    /** @type {Candle[]} candles as displayed */
    this.bars = []
    /** @type {Marker[]} */
    this.markers = []
    this.container = container
    this.chart = createChart(container, CHART_OPTIONS)
    this.axis = new Axis(this.chart)
    this.series = this.chart.addSeries(CandlestickSeries, {
      ...candleOptions(COLORS),
      // The tag says the newest price; the library's own the last one visible.
      lastValueVisible: false, priceLineVisible: false,
      priceFormat: role === "index" ? PRICE_FORMAT : PREMIUM_FORMAT,
    })
    this.candles = new Drawn(this.series)
    this.tag = new PriceTag(this.series)
    this.levels = new Levels(this.chart, this.series)
    this.markerLayer = new MarkerLayer(this.chart, this.series)
    const bottom = role === "index" ? 0.08 : 0.24
    this.series.priceScale().applyOptions({ scaleMargins: { top: 0.12, bottom } })
    if (role !== "index") this.addOptionSeries(container)
    this.chart.timeScale().subscribeVisibleLogicalRangeChange(() => this.showTag())
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

  /** Pixels of the time axis: as painted, or before that as it will be. */
  get width() {
    return this.chart.timeScale().width() || this.container.clientWidth - PRICE_AXIS
  }

  /** What is visible, in places on the shared axis. */
  get places() {
    const range = this.chart.timeScale().getVisibleLogicalRange()
    return range && { from: range.from + this.first, to: range.to + this.first }
  }

  /** @param {{from: number, to: number}} places to be seen, on the shared axis */
  show({ from, to }) {
    const { chart, first } = this
    chart.timeScale().setVisibleLogicalRange({ from: from - first, to: to - first })
  }

  /** Other colours hold; what is drawn must be drawn anew. */
  recolour() {
    this.chart.applyOptions(chartOptions(COLORS))
    this.series.applyOptions(candleOptions(COLORS))
    this.interest?.series.applyOptions({ color: COLORS.openInterest })
    this.levels.recolour()
    this.tag.forget()
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
    this.bars = table ? aggregate(table, grid.minutes, grid.hours) : []
    this.first = grid.first
    const times = grid.times.slice(grid.first)
    this.chart.timeScale().applyOptions({ enableConflation: times.length > MANY_CANDLES })
    this.axis.set(times)
    this.drawBars(grid)
    this.drawBuildUps(buildUps, grid)
    this.showTag()
  }

  /** @param {TimeGrid} grid */
  drawBars({ start }) {
    const bars = this.bars.filter(({ t }) => t >= start)
    this.levels.reset()
    this.candles.set(bars.map(candleOf))
    this.volume?.set(volumesOf(bars))
  }

  /**
   * @param {BuildUpTable | null} buildUps
   * @param {TimeGrid} grid
   */
  drawBuildUps(buildUps, grid) {
    this.interest?.set(openInterest(this.bars, buildUps, grid, grid.start))
    this.strip?.set(buildUps ? stripColumns(buildUps, grid, grid.start) : [])
  }

  /**
   * Draw candles that changed, cheaply when they are at the end.
   * @param {CandleTable} table
   * @param {BuildUpTable | null} buildUps
   * @param {number} from open time of the first changed candle
   * @param {TimeGrid} grid
   */
  drawCandles(table, buildUps, from, grid) {
    const bars = aggregate(table, grid.minutes, grid.hours, from)
    const first = grid.bucketOf(from)
    const before = this.bars.length
    while (this.bars.length && this.bars[this.bars.length - 1].t >= first) this.bars.pop()
    for (const bar of bars) this.bars.push(bar)
    // The curves of levels are changed at their ends alone.
    if (bars.length > 2 || this.bars.length < before) this.levels.reset()
    const candles = this.candles.renew(first, bars.map(candleOf))
    const volume = this.volume?.renew(first, volumesOf(bars)) ?? true
    if (!candles || !volume) this.drawBars(grid)
    this.showTag()
    const interest = this.interest?.renew(first, openInterest(this.bars, buildUps, grid, first))
    if (interest === false)
      this.interest?.set(openInterest(this.bars, buildUps, grid, grid.start))
  }

  /**
   * Draw build-ups that changed.
   * @param {BuildUpTable} table
   * @param {number} from open time of the first changed one
   * @param {TimeGrid} grid
   */
  drawChangedBuildUps(table, from, grid) {
    const start = grid.bucketOf(from)
    const interest = this.interest?.renew(start, openInterest(this.bars, table, grid, start))
    const strip = this.strip?.renew(start, stripColumns(table, grid, start))
    if (interest === false || strip === false) this.drawBuildUps(table, grid)
  }

  /** Show the newest price on the axis. */
  showTag() {
    const newest = this.bars[this.bars.length - 1]
    const range = this.chart.timeScale().getVisibleRange()
    const inView = !newest || !range || Number(range.to) >= newest.t
    const color = !newest || newest.c >= newest.o ? COLORS.upTag : COLORS.downTag
    this.tag.show(newest?.c ?? null, inView ? color : COLORS.pastTag, inView)
  }

  /**
   * @param {Signal[]} signals
   * @param {TimeGrid} grid
   */
  drawMarkers(signals, grid) {
    this.markers = markersOf(signals, this.role, this.symbol, this.bars, grid)
    this.markerLayer.show(this.markers, this.bars, grid)
  }
}
