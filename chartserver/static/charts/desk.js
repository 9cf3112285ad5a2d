/** @import { Role } from "../data/types.js" */
/** @import { Store } from "../data/store.js" */
/** @import { View } from "../data/view.js" */
import { TimeGrid } from "../data/grid.js"
import { previousDay } from "../data/previous.js"
import { ROLES } from "../data/view.js"
import { byId } from "../lib/dom.js"
import { eachFrame } from "../lib/frame.js"
import { PriceChart } from "./chart.js"
import { FEW } from "./drawn.js"
import { createLegend } from "./legend.js"
import { sharePointer } from "./pointer.js"
import { SharedRange } from "./range.js"
import { readColors } from "./theme.js"

/** Times that charts are given at first: eight sessions of one-minute candles. */
const FIRST_DRAWN = 3000

/**
 * The charts, drawn from the store as the view says, on one time axis. Whatever changed, all of
 * them are drawn in the same frame and show the same range.
 */
export class Desk {
  /**
   * @param {Store} store
   * @param {View} view
   * @param {() => void} moved the visible range was changed by a person
   */
  constructor(store, view, moved = () => {}) {
    this.store = store
    this.view = view
    this.grid = new TimeGrid(1, store.hours)
    /** @type {number | null} time under the crosshair */
    this.pointed = null
    /** What the charts were last drawn whole from. */
    this.drawn = ""
    this.markersDrawn = ""
    // What stands above the charts is there before them: with another size they are painted again.
    this.legends = ROLES.map((role) => createLegend(byId(`legend-${role}`), role))
    /** @type {{role: Role, chart: PriceChart, legend: ReturnType<typeof createLegend>, empty: HTMLElement}[]} */
    this.views = []
    /** @type {PriceChart[]} */
    this.charts = []
    this.range = new SharedRange(this.charts, () => this.grid, moved, eachFrame(() => {
      this.redraw()
      this.draw()
    }))
    /** @type {ReturnType<typeof sharePointer> | null} */
    this.pointer = null
    this.painted = eachFrame(() => {
      this.pointer?.refresh()
      this.describe()
    })
  }

  /** Make the charts: with something to draw, or while a page waits for it. */
  open() {
    if (this.charts.length) return
    this.views = ROLES.map((role, i) => ({
      role, legend: this.legends[i], empty: byId(`empty-${role}`),
      chart: new PriceChart(byId(`chart-${role}`), role),
    }))
    this.charts.push(...this.views.map((one) => one.chart))
    for (const chart of this.charts) this.range.watch(chart)
    this.pointer = sharePointer(this.charts, (time) => {
      this.pointed = time
      this.describe()
    })
  }

  /** Minutes of the coarsest candles on show; 0 before there are any. */
  get storedMinutes() {
    return Math.max(0, ...ROLES.map((role) => this.tables(role)[0]?.minutes ?? 0))
  }

  /** Minutes of a candle on the charts: never finer than what is stored. */
  get minutes() {
    return Math.max(this.view.minutes, this.storedMinutes)
  }

  /** @param {Role} role */
  tables(role) {
    const symbol = this.view.contracts[role]
    return /** @type {const} */ ([this.store.table(symbol), this.store.buildUpTable(symbol)])
  }

  /** Draw everything anew with the next frame. */
  redraw() {
    this.drawn = ""
  }

  /** Other colours hold. */
  recolour() {
    readColors()
    for (const chart of this.charts) chart.recolour()
    this.redraw()
  }

  /** Draw what changed since the last frame. */
  draw() {
    this.open()
    const key = JSON.stringify([this.view.contracts, this.minutes])
    const whole = key !== this.drawn || !this.drawChanges()
    if (whole) this.drawAll()
    this.drawn = key
    this.drawMarkers()
    this.drawLevels()
    // The charts paint with the next frame; then it is known what stands under the pointer, and
    // the texts change together with them.
    this.painted()
  }

  drawAll() {
    const interval = this.grid.minutes
    this.grid = new TimeGrid(this.minutes, this.store.hours)
    for (const { role } of this.views) {
      const [table, buildUps] = this.tables(role)
      table?.takeChange()
      buildUps?.takeChange()
      this.grid.coverAll(table?.t ?? [])
      this.grid.coverAll((buildUps?.t ?? []).flatMap((time) => [time, time + 299]))
    }
    if (interval !== this.grid.minutes) this.range.rescale(interval / this.grid.minutes)
    this.grid.first = this.firstPlace()
    for (const { role, chart } of this.views)
      chart.drawAll(this.view.contracts[role] ?? "", ...this.tables(role), this.grid)
    this.markersDrawn = ""
    this.range.apply()
  }

  /**
   * From where on the charts are given data: of what is older than can be seen as much again as they
   * have, because each of their points costs time that whoever opens the page waits for.
   */
  firstPlace() {
    const { length } = this.grid.times
    const { from = 0, to = 0 } = this.range.places() ?? {}
    const needed = length - Math.floor(from - (to - from))
    return needed <= FIRST_DRAWN ? Math.max(0, length - FIRST_DRAWN) : Math.max(0, length - 2 * needed)
  }

  /** @returns {boolean} false when the axis changed before its end, so that all must be drawn */
  drawChanges() {
    const before = this.grid.times.length
    const changes = this.views.map((view) => {
      const [table, buildUps] = this.tables(view.role)
      const candles = table?.takeChange() ?? Infinity
      const labels = buildUps?.takeChange() ?? Infinity
      return { view, table, buildUps, candles, labels }
    })
    const touched = changes.flatMap(({ table, buildUps, candles, labels }) => [
      ...(table && candles !== Infinity ? [Math.min(candles, table.lastTime), table.lastTime] : []),
      ...(buildUps && labels !== Infinity
        ? [Math.min(labels, buildUps.lastTime), buildUps.lastTime + 299] : []),
    ])
    if (!touched.length) return true
    // A load, or nothing left: the axis itself changed.
    if (touched.includes(-Infinity)) return false
    if (touched.map((time) => this.grid.cover(time)).includes("changed")) return false
    const added = this.grid.times.slice(before)
    if (added.length > FEW) return false
    const newest = changes.flatMap(({ table, buildUps }) =>
      [table?.lastTime ?? -Infinity, (buildUps?.lastTime ?? -Infinity) + 299])
    // A replay that goes back: times that nothing is known of any more go as well.
    const kept = this.grid.placeOf(Math.max(...newest)) + 1
    if (kept <= this.grid.first) return false
    const shorter = kept < this.grid.times.length
    this.grid.cut(kept)
    for (const { view, table, buildUps, candles, labels } of changes) {
      if (added.length) view.chart.axis.extend(added)
      if (table && candles !== Infinity) view.chart.drawCandles(table, buildUps, candles, this.grid)
      if (buildUps && labels !== Infinity)
        view.chart.drawChangedBuildUps(buildUps, labels, this.grid)
      view.chart.axis.cut(kept - this.grid.first)
    }
    if (added.length || shorter) this.range.apply()
    return true
  }

  drawMarkers() {
    const signals = this.view.signals(this.store)
    // A new candle may be the one on which a marker belongs.
    const bars = this.charts.map((chart) => chart.bars.length).join()
    const key = `${this.view.listed.key} ${bars}`
    if (key === this.markersDrawn) return
    this.markersDrawn = key
    for (const chart of this.charts) chart.drawMarkers(signals, this.grid)
  }

  drawLevels() {
    const { minutes, hours, start } = this.grid
    for (const { role, chart } of this.views) {
      const [table] = this.tables(role)
      const previous = previousDay(this.store, chart.symbol)
      const { levels: chosen } = this.view
      chart.levels.show({ chosen, bars: chart.bars, table, start, minutes, hours, previous })
    }
  }

  /** Write the lines above the charts. */
  describe() {
    const { spot, answer } = this.store
    for (const { role, chart, legend, empty } of this.views) {
      legend.show({
        symbol: chart.symbol, spot, strikes: answer?.strikes ?? [], bars: chart.bars,
        pointed: this.pointed, buildUps: this.tables(role)[1],
        previous: previousDay(this.store, chart.symbol), hours: this.store.hours,
      })
      empty.hidden = chart.bars.length > 0
    }
  }
}
