import { CrosshairMode, LineStyle } from "lightweight-charts"
import * as format from "../lib/format.js"

export const COLORS = {
  up: "#2ebd85",
  down: "#f6465d",
  upVolume: "rgba(46, 189, 133, 0.38)",
  downVolume: "rgba(246, 70, 93, 0.38)",
  openInterest: "#6ea8fe",
  buy: "#ffd24a",
  aside: "#9aa7bd",
  grid: "#161c27",
  border: "#232c3b",
  text: "#a9b4c6",
}

/** @typedef {import("lightweight-charts").Time} Time */

/** @param {Time} time */
const crosshairTime = (time) => `${format.dayMonth(Number(time))}  ${format.minute(Number(time))}`

/**
 * @param {Time} time
 * @param {import("lightweight-charts").TickMarkType} type
 */
function tickMark(time, type) {
  const at = Number(time)
  if (type === 0) return format.year(at)
  return type <= 2 ? format.dayMonth(at) : format.minute(at)
}

/** @type {import("lightweight-charts").DeepPartial<import("lightweight-charts").ChartOptions>} */
export const CHART_OPTIONS = {
  autoSize: true,
  layout: {
    background: { color: "transparent" },
    textColor: COLORS.text,
    fontSize: 11,
    fontFamily: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif",
    panes: { separatorColor: COLORS.border, separatorHoverColor: "#33415a" },
    attributionLogo: true,
  },
  grid: { vertLines: { color: COLORS.grid }, horzLines: { color: COLORS.grid } },
  crosshair: {
    mode: CrosshairMode.Normal,
    vertLine: { color: "#66738a", style: LineStyle.Dashed, labelBackgroundColor: "#33415a" },
    horzLine: { color: "#66738a", style: LineStyle.Dashed, labelBackgroundColor: "#33415a" },
  },
  // One width for all, so that the same place means the same time when charts are stacked.
  rightPriceScale: { borderColor: COLORS.border, minimumWidth: 80 },
  timeScale: {
    borderColor: COLORS.border,
    timeVisible: true,
    secondsVisible: false,
    rightOffset: 4,
    minBarSpacing: 0.05,
    shiftVisibleRangeOnNewBar: true,
    allowShiftVisibleRangeOnWhitespaceReplacement: true,
    tickMarkFormatter: tickMark,
  },
  localization: { locale: "en-IN", timeFormatter: crosshairTime },
}

/** @type {import("lightweight-charts").PriceFormatCustom} */
export const PRICE_FORMAT = { type: "custom", formatter: format.price, minMove: 0.05 }
/** @type {import("lightweight-charts").PriceFormatCustom} */
export const PREMIUM_FORMAT = {
  // The room below for volume may reach under zero, where no premium is.
  formatter: (/** @type {number} */ value) => (value < 0 ? "" : format.price(value)),
  type: "custom",
  minMove: 0.05,
}
/** @type {import("lightweight-charts").PriceFormatCustom} */
export const COUNT_FORMAT = { type: "custom", formatter: format.compact, minMove: 1 }
