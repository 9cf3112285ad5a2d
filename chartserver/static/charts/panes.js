/** @import { IChartApi } from "lightweight-charts" */

const STRIP = 30
const AXIS = 26

/**
 * Share a chart's height between candles, the strip and open interest, and keep it so when the
 * window changes: the strip has a fixed height, the rest scales.
 * @param {IChartApi} chart
 * @param {HTMLElement} container
 */
export function fitPanes(chart, container) {
  let fitted = NaN
  const fit = () => {
    const height = container.clientHeight - AXIS
    const panes = chart.panes()
    if (height === fitted || height < 3 * STRIP || panes.length < 3) return
    fitted = height
    const interest = Math.max(44, Math.round(height * 0.17))
    panes[0].setStretchFactor(height - interest - STRIP)
    panes[1].setStretchFactor(STRIP)
    panes[2].setStretchFactor(interest)
  }
  new ResizeObserver(fit).observe(container)
  fit()
}
