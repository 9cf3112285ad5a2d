/** @import { Role } from "../data/types.js" */
/** @import { BuildUpTable } from "../data/buildups.js" */
/** @import { CandleTable } from "../data/candles.js" */
/** @import { Market } from "../data/market.js" */
import { PriceChart } from "./chart.js"
import { byId } from "../lib/dom.js"
import { TimeGrid } from "../data/grid.js"
import { createLegend } from "../panels/legend.js"
import { ROLES } from "../data/market.js"
import { parseOption } from "../data/symbols.js"
import { barAt, synchronise } from "./sync.js"

/** Pixels a candle takes when the page opens. */
const COMFORTABLE = 5.5

/** The three charts side by side, drawn from one market on one time axis. */
export class Desk {
  /** @param {Market} market */
  constructor(market) {
    this.market = market
    this.wanted = 1
    this.grid = new TimeGrid(1)
    /** @type {number | null} time under the crosshair */
    this.pointed = null
    this.drawnRevision = -1
    this.stale = true
    this.views = ROLES.map((role) => ({
      role,
      chart: new PriceChart(byId(`chart-${role}`), role),
      legend: createLegend(byId(`legend-${role}`), role),
      empty: byId(`empty-${role}`),
    }))
    this.charts = this.views.map((view) => view.chart)
    synchronise(this.charts, (time) => {
      this.pointed = time
      this.describe()
    })
  }

  /** Minutes of a candle on the charts: never finer than what is stored. */
  get minutes() {
    return Math.max(this.wanted, this.market.storedMinutes)
  }

  /** Choose the interval. @param {number} minutes */
  setInterval(minutes) {
    this.wanted = minutes
    this.stale = true
  }

  /** Draw everything anew with the next frame. */
  redraw() {
    this.stale = true
  }

  /** Draw what changed since the last frame. */
  draw() {
    if (this.stale || this.grid.minutes !== this.minutes) this.drawAll()
    else this.drawChanges()
    this.describe()
  }

  drawAll() {
    const first = this.grid.times.length === 0
    const resized = this.grid.minutes !== this.minutes
    this.grid = new TimeGrid(this.minutes)
    for (const { role } of this.views) {
      const [table, buildUps] = this.tables(role)
      table?.takeChange()
      buildUps?.takeChange()
      this.grid.coverAll(table?.t ?? [])
      this.grid.coverAll((buildUps?.t ?? []).flatMap((time) => [time, time + 299]))
    }
    for (const { role, chart } of this.views)
      chart.drawAll(this.market.symbol(role) ?? "", ...this.tables(role), this.grid)
    this.drawMarkers()
    this.stale = false
    if ((first || resized) && this.grid.times.length) this.showLatest()
  }

  drawChanges() {
    const before = this.grid.times.length
    const changes = this.views.map((view) => {
      const [table, buildUps] = this.tables(view.role)
      const candles = table?.takeChange() ?? Infinity
      const labels = buildUps?.takeChange() ?? Infinity
      return { view, table, buildUps, candles, labels }
    })
    const touched = changes.flatMap(({ table, buildUps, candles, labels }) => [
      ...(table && candles !== Infinity ? [candles, table.lastTime] : []),
      ...(buildUps && labels !== Infinity ? [labels, buildUps.lastTime + 299] : []),
    ])
    // A time before the first, or a load: the axis itself changed, so draw from scratch.
    if (touched.includes(-Infinity)) return this.drawAll()
    if (touched.map((time) => this.grid.cover(time)).includes("changed")) return this.drawAll()
    const added = this.grid.times.slice(before)
    const counted = this.countBars()
    for (const { view, table, buildUps, candles, labels } of changes) {
      if (table && candles !== Infinity) view.chart.drawCandles(table, buildUps, candles, this.grid)
      if (added.length) view.chart.extendAxis(added)
      if (buildUps && labels !== Infinity)
        view.chart.drawChangedBuildUps(buildUps, labels, this.grid)
    }
    // A new candle may be the one on which a marker belongs.
    if (counted !== this.countBars() || this.market.signalRevision !== this.drawnRevision)
      this.drawMarkers()
  }

  countBars() {
    return this.charts.reduce((sum, chart) => sum + chart.bars.length, 0)
  }

  /**
   * @param {Role} role
   * @returns {[CandleTable | null, BuildUpTable | null]}
   */
  tables(role) {
    return [this.market.table(role), this.market.buildUpTable(role)]
  }

  drawMarkers() {
    const signals = this.market.signalList()
    for (const chart of this.charts) chart.drawMarkers(signals, this.grid.minutes)
    this.drawnRevision = this.market.signalRevision
  }

  /** Write the lines above the charts. */
  describe() {
    for (const { role, chart, legend, empty } of this.views) {
      const bar = this.pointed === null ? null : barAt(chart, this.pointed)
      legend.show(chart.bars, bar, this.market.buildUpTable(role))
      empty.hidden = chart.bars.length > 0
    }
  }

  /**
   * Write what each chart shows.
   * @param {number | null} atm
   */
  title(atm) {
    for (const { role, legend } of this.views) {
      const symbol = this.market.symbol(role)
      legend.title(symbol, moneyness(symbol, atm))
    }
  }

  /** Show the newest candles with the next load, whatever was visible. */
  forgetRange() {
    this.grid = new TimeGrid(this.minutes)
    this.stale = true
  }

  /** Show the newest candles at a comfortable width. */
  showLatest() {
    const count = this.grid.times.length
    const width = Math.max(200, this.charts[0].chart.timeScale().width() || 400)
    const shown = Math.min(width / COMFORTABLE, Math.max(count, 30))
    this.setRange(count - shown, count + 3)
  }

  /** Show everything there is. */
  showWhole() {
    this.setRange(-1, this.grid.times.length + 2)
  }

  /** Bring a time into the middle. @param {number} time */
  showTime(time) {
    const place = this.grid.placeOf(time)
    const range = this.charts[0].chart.timeScale().getVisibleLogicalRange()
    if (place < 0 || !range) return
    const half = (range.to - range.from) / 2
    this.setRange(place - half, place + half)
  }

  /** @param {number} from @param {number} to places on the axis */
  setRange(from, to) {
    for (const { chart } of this.charts) chart.timeScale().setVisibleLogicalRange({ from, to })
  }
}

/**
 * `ATM`, or on which side of it a contract is, and a separator.
 * @param {string | null} symbol
 * @param {number | null} atm
 */
function moneyness(symbol, atm) {
  const option = parseOption(symbol)
  if (!option || atm === null) return ""
  if (option.strike === atm) return "ATM \u00b7 "
  const inside = option.strike < atm === (option.letter === "C")
  return inside ? "ITM \u00b7 " : "OTM \u00b7 "
}
