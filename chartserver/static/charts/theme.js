import { CrosshairMode, LineStyle } from "lightweight-charts"
import * as format from "../lib/format.js"

/**
 * The charts' names of colours, and the variables of styles/theme.css that hold them. What rises and
 * falls is drawn in other colours than those in which its text can be read.
 */
const VARIABLES = {
  rise: "rise", fall: "fall", up: "up", down: "down", upVolume: "rise-volume", downVolume: "fall-volume",
  openInterest: "interest", buy: "buy", aside: "aside", grid: "grid", border: "axis",
  text: "axis-text", cross: "cross", crossLabel: "cross-label", hover: "hover",
  onLabel: "on-chip", long_build_up: "long-build-up", short_build_up: "short-build-up",
  short_covering: "short-covering", long_unwinding: "long-unwinding", none: "no-label",
  previous: "level-day", opening: "level-opening", vwap: "level-vwap", ema9: "level-fast",
  ema21: "level-slow", upTag: "tag-rise", downTag: "tag-fall", pastTag: "tag-past", onTag: "on-tag",
}

/** @typedef {Record<keyof typeof VARIABLES, string>} ChartColors */

/**
 * The colours of the theme that holds now, in the form that the chart library reads.
 * @returns {ChartColors}
 */
export function chartColors() {
  // A variable's own text names both themes' colours; as the colour of an element it is one.
  const box = document.createElement("i")
  box.hidden = true
  const probes = Object.entries(VARIABLES).map(([name, variable]) => {
    const probe = box.appendChild(document.createElement("i"))
    probe.style.color = `var(--${variable})`
    return /** @type {const} */ ([name, probe])
  })
  // All are read at once: each writing between two readings would style the page again.
  document.documentElement.append(box)
  const found = probes.map(([name, probe]) => [name, getComputedStyle(probe).color])
  box.remove()
  return Object.fromEntries(found)
}

/** The colours as they were read last; `readColors` reads them again. */
export const COLORS = chartColors()

/** After a change of the theme. */
export const readColors = () => Object.assign(COLORS, chartColors())

/** Pixels of a price axis: wider only where its prices need it. */
export const PRICE_AXIS = 80

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

/**
 * @param {ChartColors} colors
 * @returns {import("lightweight-charts").DeepPartial<import("lightweight-charts").ChartOptions>}
 */
export function chartOptions(colors) {
  const line = {
    color: colors.cross, style: LineStyle.Dashed, labelBackgroundColor: colors.crossLabel,
  }
  return {
    autoSize: true,
    layout: {
      background: { color: "transparent" },
      textColor: colors.text,
      fontSize: 11,
      fontFamily: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif",
      panes: { separatorColor: colors.border, separatorHoverColor: colors.hover },
      attributionLogo: true,
    },
    grid: { vertLines: { color: colors.grid }, horzLines: { color: colors.grid } },
    crosshair: { mode: CrosshairMode.Normal, vertLine: line, horzLine: line },
    // A finger that moves up or down scrolls the page, not the prices.
    handleScroll: { vertTouchDrag: false },
    // One width for all, so that the same place means the same time when charts are stacked.
    rightPriceScale: { borderColor: colors.border, minimumWidth: PRICE_AXIS },
    timeScale: {
      borderColor: colors.border,
      timeVisible: true,
      secondsVisible: false,
      rightOffset: 4,
      minBarSpacing: 0.05,
      // Which part is visible is decided for all charts together (range.js).
      shiftVisibleRangeOnNewBar: false,
      allowShiftVisibleRangeOnWhitespaceReplacement: false,
      tickMarkFormatter: tickMark,
    },
    localization: { locale: "en-IN", timeFormatter: crosshairTime },
  }
}

export const CHART_OPTIONS = chartOptions(COLORS)

/** How candles are drawn. @param {ChartColors} colors */
export const candleOptions = (colors) => ({
  upColor: colors.rise, downColor: colors.fall, wickUpColor: colors.rise,
  wickDownColor: colors.fall, borderVisible: false,
})

/** Prices move in ticks of five paise; what is read off an axis is one. */
const TICK = 0.05
/** @param {number} value */
const tickText = (value) => format.price(Math.round(value / TICK) * TICK)

/** @type {import("lightweight-charts").PriceFormatCustom} */
export const PRICE_FORMAT = { type: "custom", formatter: tickText, minMove: TICK }
/** @type {import("lightweight-charts").PriceFormatCustom} */
export const PREMIUM_FORMAT = {
  // The room below for volume may reach under zero, where no premium is.
  formatter: (/** @type {number} */ value) => (value < 0 ? "" : tickText(value)),
  type: "custom",
  minMove: TICK,
}
/** @type {import("lightweight-charts").PriceFormatCustom} */
export const COUNT_FORMAT = { type: "custom", formatter: format.compact, minMove: 1 }
