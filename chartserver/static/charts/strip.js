/** @import { CustomData, CustomSeriesOptions, ICustomSeriesPaneView } from "lightweight-charts" */
/** @import { CustomSeriesWhitespaceData, PaneRendererCustomData } from "lightweight-charts" */
/** @import { Time, UTCTimestamp } from "lightweight-charts" */
/** @import { Label } from "../data/types.js" */
/** @import { BuildUpTable } from "../data/buildups.js" */
/** @import { TimeGrid } from "../data/grid.js" */
import { customSeriesDefaultOptions } from "lightweight-charts"
import { BUILD_UP_SECONDS, labelOf } from "../data/buildups.js"
import { COLORS } from "./theme.js"

/**
 * What one column of the chart shows: a part of a five-minute interval, or several of them.
 * @typedef {CustomData<Time> & {cells: (Label | null)[], interval: number}} StripColumn
 */

/**
 * The strip's columns on the time axis, from a time on. On one-minute candles five neighbouring
 * columns share an interval; on coarser ones a column holds several.
 * @param {BuildUpTable} table
 * @param {TimeGrid} grid
 * @param {number} [from]
 * @returns {StripColumn[]}
 */
export function stripColumns(table, grid, from = -Infinity) {
  const width = grid.minutes * 60
  /** @type {StripColumn[]} */
  const columns = []
  for (const time of grid.between(from, Infinity)) {
    /** @type {(Label | null)[]} */
    const cells = []
    for (let at = time; at < time + width; at += Math.min(width, BUILD_UP_SECONDS))
      cells.push(table.at(at)?.label ?? null)
    if (cells.every((cell) => cell === null)) continue
    const interval = table.at(time)?.t ?? time
    columns.push({ time: /** @type {UTCTimestamp} */ (time), cells, interval })
  }
  return columns
}

/** @typedef {import("fancy-canvas").BitmapCoordinatesRenderingScope} Scope */

/**
 * Draws the columns as one band of coloured cells, with the short name where there is room.
 * @implements {ICustomSeriesPaneView<Time, StripColumn, CustomSeriesOptions>}
 */
export class StripView {
  constructor() {
    /** @type {PaneRendererCustomData<Time, StripColumn> | null} */
    this.data = null
  }

  renderer() {
    return {
      /** @param {import("fancy-canvas").CanvasRenderingTarget2D} target */
      draw: (target) => target.useBitmapCoordinateSpace((scope) => this.draw(scope)),
    }
  }

  /** @param {PaneRendererCustomData<Time, StripColumn>} data */
  update(data) {
    this.data = data
  }

  /** @param {StripColumn} _column */
  priceValueBuilder(_column) {
    return [0]
  }

  /**
   * @param {StripColumn | CustomSeriesWhitespaceData<Time>} column
   * @returns {column is CustomSeriesWhitespaceData<Time>}
   */
  isWhitespace(column) {
    return !("cells" in column)
  }

  defaultOptions() {
    return { ...customSeriesDefaultOptions }
  }

  /**
   * @param {import("lightweight-charts").CustomConflationContext<Time, StripColumn>} _first
   * @param {import("lightweight-charts").CustomConflationContext<Time, StripColumn>} second
   */
  conflationReducer(_first, second) {
    return second.data
  }

  /** @param {Scope} scope */
  draw({ context, bitmapSize, horizontalPixelRatio, verticalPixelRatio }) {
    const { bars, barSpacing, visibleRange, conflationFactor } = this.data ?? {}
    if (!bars || !visibleRange || !barSpacing) return
    const width = barSpacing * (conflationFactor ?? 1) * horizontalPixelRatio
    const top = Math.round(5 * verticalPixelRatio)
    const height = bitmapSize.height - 2 * top
    /** @type {{text: string, x: number}[]} */
    const texts = []
    for (let i = Math.max(0, visibleRange.from); i < Math.min(bars.length, visibleRange.to); i++) {
      const { x, originalData } = bars[i]
      const left = x * horizontalPixelRatio - width / 2
      const joined = bars[i + 1]?.originalData.interval === originalData.interval
      const part = width / originalData.cells.length
      originalData.cells.forEach((label, n) => {
        if (label === null) return
        const start = Math.round(left + n * part)
        const gap = joined || part < 3 ? 0 : Math.max(1, Math.round(horizontalPixelRatio))
        context.fillStyle = COLORS[label]
        context.fillRect(start, top, Math.round(left + (n + 1) * part) - start - gap, height)
        const begins = n > 0 || bars[i - 1]?.originalData.interval !== originalData.interval
        const room = originalData.cells.length > 1 ? part : intervalWidth(bars, i, width)
        if (begins && room >= 20 * horizontalPixelRatio)
          texts.push({ text: labelOf(label).short, x: start + room / 2 })
      })
    }
    context.fillStyle = COLORS.onLabel
    context.font = `700 ${Math.round(10 * verticalPixelRatio)}px system-ui, sans-serif`
    context.textAlign = "center"
    context.textBaseline = "middle"
    for (const { text, x } of texts) context.fillText(text, x, top + height / 2)
  }
}

/**
 * How wide the columns of one interval are together.
 * @param {PaneRendererCustomData<Time, StripColumn>["bars"]} bars
 * @param {number} from
 * @param {number} width
 */
function intervalWidth(bars, from, width) {
  let end = from + 1
  while (bars[end]?.originalData.interval === bars[from].originalData.interval) end++
  return (end - from) * width
}
