/** @import { IChartApi, ISeriesApi, SeriesType } from "lightweight-charts" */
/** @import { Candle } from "../data/types.js" */
/** @import { TimeGrid } from "../data/grid.js" */
/** @import { Mark, Placed } from "./marker-layout.js" */
/** @import { Marker } from "./markers.js" */
import { lowerBound, upperBound } from "../lib/search.js"
import { LINE, placeMarkers } from "./marker-layout.js"
import { COLORS } from "./theme.js"

const FONT = "600 11px system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif"
/** Between a text and the edge of its box. */
const PADDING = 3
/** With more in view only what must be said is: the others' texts would have no room. */
const MANY = 150

/** Draws a chart's markers; where they stand is decided for each part of the chart that is shown. */
export class MarkerLayer {
  /** @param {IChartApi} chart @param {ISeriesApi<SeriesType>} series of the candles */
  constructor(chart, series) {
    this.chart = chart
    this.series = series
    /** @type {readonly Marker[]} ascending */
    this.markers = []
    /** @type {readonly Candle[]} */
    this.bars = []
    /** @type {TimeGrid | null} */
    this.grid = null
    /** @type {(Placed & {marker: Marker})[]} as drawn last */
    this.placed = []
    /** What the places were decided from. */
    this.decided = ""
    /** @type {Map<string, number>} */
    this.widths = new Map()
    series.attachPrimitive({
      attached: ({ requestUpdate }) => (this.redraw = requestUpdate),
      paneViews: () => [this],
    })
  }

  /**
   * @param {readonly Marker[]} markers ascending
   * @param {readonly Candle[]} bars as displayed
   * @param {TimeGrid} grid
   */
  show(markers, bars, grid) {
    Object.assign(this, { markers, bars, grid, decided: "" })
    this.redraw?.()
  }

  zOrder() {
    return /** @type {const} */ ("top")
  }

  renderer() {
    return {
      /** @param {import("fancy-canvas").CanvasRenderingTarget2D} target */
      draw: (target) => target.useMediaCoordinateSpace(({ context, mediaSize }) =>
        this.draw(context, mediaSize)),
    }
  }

  /** Markers in view with the middle of their candles. */
  inView() {
    const range = this.chart.timeScale().getVisibleRange()
    if (!range) return []
    const times = this.markers.map(({ time }) => Number(time))
    return this.markers
      .slice(lowerBound(times, Number(range.from)), upperBound(times, Number(range.to)))
      .flatMap((marker) => {
        const x = this.chart.timeScale().timeToCoordinate(marker.time)
        return x === null ? [] : [{ marker, x }]
      })
  }

  /**
   * Where the candles between two places lie.
   * @param {readonly number[]} opens of the candles
   * @param {number} left
   * @param {number} right
   */
  candlesBetween(opens, left, right) {
    const { chart, series, bars, grid } = this
    const [first, last] = [left, right].map((x) => chart.timeScale().coordinateToLogical(x))
    if (first === null || last === null || !grid) return null
    const { times, first: origin } = grid
    const from = times[Math.max(0, origin + Math.floor(first))] ?? Infinity
    const to = times[Math.min(times.length - 1, origin + Math.ceil(last))] ?? -Infinity
    let low = Infinity
    let high = -Infinity
    for (let i = lowerBound(opens, from); i < bars.length && bars[i].t <= to; i++) {
      low = Math.min(low, bars[i].l)
      high = Math.max(high, bars[i].h)
    }
    if (low > high) return null
    const [top, bottom] = [series.priceToCoordinate(high), series.priceToCoordinate(low)]
    return top === null || bottom === null ? null : { top, bottom }
  }

  /** @param {CanvasRenderingContext2D} context @param {{width: number, height: number}} pane */
  draw(context, pane) {
    context.font = FONT
    const key = this.key(pane)
    if (key !== this.decided) this.decide(context, pane)
    this.decided = key
    context.textAlign = "center"
    context.textBaseline = "middle"
    for (const place of this.placed) drawMarker(context, place)
  }

  /** What the places depend on: a picture may be drawn anew for a crosshair alone. @param {object} pane */
  key(pane) {
    const { bars, series } = this
    const [first, last] = [bars[0], bars[bars.length - 1]]
    const ends = [first?.o, last?.h, last?.l].map((price) => price ?? 0)
    const range = this.chart.timeScale().getVisibleLogicalRange()
    const scale = [...ends, 0].map((price) => series.priceToCoordinate(price))
    return JSON.stringify([range, pane, ends, bars.length, scale])
  }

  /** @param {CanvasRenderingContext2D} context @param {{width: number, height: number}} pane */
  decide(context, pane) {
    const shown = this.inView()
    const many = shown.length > MANY
    const opens = this.bars.map(({ t }) => t)
    /** @type {Mark[]} */
    const marks = shown.map(({ marker, x }) => ({
      x, below: marker.position === "belowBar", must: marker.must,
      texts: !many ? marker.texts : marker.must ? marker.texts.slice(-1) : [],
    }))
    const placed = placeMarkers(
      marks, (left, right) => this.candlesBetween(opens, left, right), pane,
      (text) => this.widthOf(context, text))
    this.placed = placed.map((place, i) => ({ ...place, marker: shown[i].marker }))
  }

  /** @param {CanvasRenderingContext2D} context @param {string} text */
  widthOf(context, text) {
    const known = this.widths.get(text) ?? context.measureText(text).width + 2 * PADDING
    this.widths.set(text, known)
    return known
  }
}

/** @param {CanvasRenderingContext2D} context @param {Placed & {marker: Marker}} placed */
function drawMarker(context, { arrow, text, box, marker }) {
  const { left, right, top, bottom } = arrow
  const middle = (left + right) / 2
  context.fillStyle = COLORS[marker.color]
  context.strokeStyle = COLORS[marker.color]
  context.beginPath()
  if (marker.shape === "circle") context.arc(middle, (top + bottom) / 2, (right - left) / 4, 0, 7)
  else {
    const [tip, base] = marker.shape === "arrowUp" ? [top, bottom] : [bottom, top]
    context.moveTo(middle, tip)
    context.lineTo(right, base)
    context.lineTo(left, base)
  }
  context.fill()
  if (!box) return
  const y = (box.top + box.bottom) / 2
  const gap = y > bottom ? box.top - bottom : top - box.bottom
  if (gap > LINE / 2) {
    // A thin line says whose text it is.
    context.lineWidth = 1
    context.globalAlpha = 0.5
    context.beginPath()
    context.moveTo(middle, y > bottom ? bottom : top)
    context.lineTo(middle, y > bottom ? box.top : box.bottom)
    context.stroke()
    context.globalAlpha = 1
  }
  context.fillText(text, (box.left + box.right) / 2, y)
}
