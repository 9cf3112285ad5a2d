/** @import { ISeriesApi, SeriesType } from "lightweight-charts" */
import { LineStyle } from "lightweight-charts"
import * as format from "../lib/format.js"
import { COLORS } from "./theme.js"

/** Pixels between the pane's edge and the middle of a tag that points beyond it. */
const EDGE = 9

/**
 * The last price on the price axis: always the newest one, whatever part of the chart is visible.
 * When it lies outside, the tag stands at the edge and points to it.
 */
export class PriceTag {
  /** @param {ISeriesApi<SeriesType>} series */
  constructor(series) {
    this.series = series
    /** @type {number | null} */
    this.price = null
    this.color = ""
    this.inView = true
    this.line = series.createPriceLine({
      price: 0, axisLabelVisible: false, lineVisible: false, lineStyle: LineStyle.Dotted,
      lineWidth: 1,
    })
    series.attachPrimitive({
      attached: ({ requestUpdate }) => (this.redraw = requestUpdate),
      priceAxisViews: () => [this],
    })
  }

  /**
   * @param {number | null} price
   * @param {string} color
   * @param {boolean} inView whether its candle is on the visible part
   */
  show(price, color, inView) {
    if (price === this.price && color === this.color && inView === this.inView) return
    Object.assign(this, { price, color, inView })
    this.line.applyOptions({ price: price ?? 0, lineVisible: price !== null, color })
    this.redraw?.()
  }

  /** Other colours hold. */
  forget() {
    this.color = ""
  }

  /** Where the price is, in pixels from the top of its pane. */
  place() {
    return this.price === null ? null : this.series.priceToCoordinate(this.price)
  }

  /** @returns {"above" | "below" | ""} whether the price lies outside */
  outside() {
    const place = this.place()
    const height = this.series.getPane().getHeight()
    if (place === null) return ""
    return place < 0 ? "above" : place > height ? "below" : ""
  }

  coordinate() {
    const height = this.series.getPane().getHeight()
    return Math.min(Math.max(this.place() ?? -100, EDGE), height - EDGE)
  }

  text() {
    if (this.price === null) return ""
    const arrow = { above: "\u2191 ", below: "\u2193 ", "": this.inView ? "" : "\u2192 " }[this.outside()]
    return arrow + format.price(this.price)
  }

  textColor() {
    return COLORS.onTag
  }

  backColor() {
    return this.color
  }

  visible() {
    return this.place() !== null
  }

  tickVisible() {
    return this.outside() === ""
  }
}
