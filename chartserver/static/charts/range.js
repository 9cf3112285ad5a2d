/** @import { PriceChart } from "./chart.js" */
/** @import { TimeGrid } from "../data/grid.js" */

/** Pixels a candle takes when the page opens. */
const COMFORTABLE = 5.5
/** Free places right of the newest candle. */
const AHEAD = 3
/** Candles that are shown at least. */
const FEWEST = 20
/** How long after its last event a gesture may still move a chart: the wheel's steps, a throw. */
const WHEEL_MS = 300
const THROW_MS = 1500

/** @typedef {{from: number, to: number}} Places from and to on the shared axis */

/**
 * Which part of the shared axis all charts show. This is the one place that decides it: a chart's
 * own idea of its range counts only while a person moves that chart, so no change of data can
 * carry from one chart to the others.
 */
export class SharedRange {
  /**
   * @param {PriceChart[]} charts each is watched once it is there
   * @param {() => TimeGrid} grid
   * @param {() => void} moved a person moved it
   * @param {() => void} older times are looked at that the charts were not given yet
   */
  constructor(charts, grid, moved, older) {
    this.charts = charts
    this.grid = grid
    this.moved = moved
    this.older = older
    /** How many places are visible; null for as many as are comfortable to read. */
    this.bars = /** @type {number | null} */ (null)
    /** Places right of the newest candle while it is followed; null when it is not. */
    this.ahead = /** @type {number | null} */ (AHEAD)
    /** Where the right edge stands while the newest candle is not followed. */
    this.anchor = { time: NaN, beyond: 0 }
    /** @type {PriceChart | null} */
    this.held = null
    this.heldUntil = 0
  }

  /** Whether the newest candle is followed. */
  get isLive() {
    return this.ahead !== null
  }

  /** What is to be seen; null before there is anything. @returns {Places | null} */
  places() {
    const { times } = this.grid()
    if (!times.length) return null
    const edge = this.ahead === null
      ? this.grid().placeOf(this.anchor.time) + this.anchor.beyond : times.length - 1 + this.ahead
    return { from: edge - this.width(), to: edge }
  }

  /** How many places are visible. */
  width() {
    if (this.bars !== null) return this.bars
    const pixels = Math.max(200, ...this.charts.map(({ width }) => width))
    return Math.min(pixels / COMFORTABLE, Math.max(this.grid().times.length, 30)) + AHEAD
  }

  /** Give all charts the range, after their data changed. */
  apply() {
    const places = this.places()
    if (!places) return
    for (const chart of this.charts) chart.show(places)
    this.lookBack(places)
  }

  /** One screen ahead, so that nobody sees the charts end there. @param {Places} places */
  lookBack({ from, to }) {
    const { first } = this.grid()
    if (first > 0 && from - (to - from) < first) this.older()
  }

  /** Whether somebody who wants the newest price need do nothing. */
  get isHome() {
    return this.ahead !== null && this.ahead <= Math.max(2 * AHEAD, this.width() / 6) &&
      this.charts.every(({ tag }) => tag.outside() === "")
  }

  /** Show the newest candles at a comfortable width, and all of their prices. */
  goLive() {
    this.bars = null
    this.ahead = AHEAD
    for (const { series } of this.charts) series.priceScale().applyOptions({ autoScale: true })
    this.apply()
    this.moved()
  }

  /** @param {Places} places */
  show({ from, to }) {
    this.take({ from, to })
    this.apply()
    this.moved()
  }

  /** Bring a time into the middle. @param {number} time */
  showTime(time) {
    const place = this.grid().placeOf(time)
    if (place < 0) return
    const half = this.width() / 2
    this.show({ from: place - half, to: place + half })
  }

  /**
   * The candles became shorter or longer: show about the same time, and no more than there is.
   * @param {number} ratio
   */
  rescale(ratio) {
    if (this.isLive) {
      this.bars = null
      this.ahead = AHEAD
      return
    }
    const { times } = this.grid()
    const most = times.length + AHEAD
    const bars = Math.max(FEWEST, Math.min(this.width() * ratio, most))
    const edge = this.grid().placeOf(this.anchor.time) + Math.min(this.anchor.beyond, AHEAD)
    const to = Math.min(Math.max(edge, bars - 1), Math.max(most - 1, bars - 1))
    this.take({ from: to - bars, to })
  }

  /** Remember places as what is to be seen. @param {Places} places */
  take({ from, to }) {
    const { times } = this.grid()
    const last = times.length - 1
    this.bars = to - from
    this.ahead = last >= from && last <= to ? to - last : null
    const place = Math.max(0, Math.min(last, Math.floor(to)))
    this.anchor = { time: times[place] ?? NaN, beyond: to - place }
  }

  /** Let a person move a chart. @param {PriceChart} chart */
  watch(chart) {
    const element = chart.chart.chartElement()
    /** @param {number} milliseconds @returns {() => void} */
    const hold = (milliseconds) => () => {
      this.held = chart
      this.heldUntil = performance.now() + milliseconds
    }
    const listen = { capture: true, passive: true }
    element.addEventListener("pointerdown", hold(Infinity), listen)
    element.addEventListener("touchstart", hold(Infinity), listen)
    element.addEventListener("wheel", hold(WHEEL_MS), listen)
    element.addEventListener("dblclick", hold(WHEEL_MS), listen)
    for (const end of ["pointerup", "pointercancel", "touchend", "touchcancel"])
      globalThis.addEventListener(end, () => {
        if (this.held === chart && this.heldUntil === Infinity) hold(THROW_MS)()
      }, listen)
    const scale = chart.chart.timeScale()
    scale.subscribeVisibleLogicalRangeChange(() => this.changed(chart))
    // A chart that was hidden or has another width shows the same places again.
    scale.subscribeSizeChange(() => this.apply())
  }

  /** @param {PriceChart} chart */
  changed(chart) {
    if (this.held !== chart || performance.now() > this.heldUntil) return
    const { places } = chart
    const known = this.places()
    if (!places || !known || isNear(places, known)) return
    this.take(places)
    for (const other of this.charts) if (other !== chart) other.show(places)
    this.lookBack(places)
    this.moved()
  }
}

/** @param {Places} one @param {Places} other */
const isNear = (one, other) =>
  Math.abs(one.from - other.from) < 0.01 && Math.abs(one.to - other.to) < 0.01
