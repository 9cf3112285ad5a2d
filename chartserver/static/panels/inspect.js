/** @import { Desk } from "../charts/desk.js" */
/** @import { Signal } from "../data/types.js" */

/**
 * Put read-only views of the page on `window.optionscalp`, for tests and the curious.
 * @param {"live" | "replay"} page
 * @param {Desk} desk
 * @param {() => Signal[]} signals
 * @param {() => object} status
 * @param {() => object} clock
 */
export function expose(page, desk, signals, status, clock) {
  const view = {
    page,
    /** Candles as displayed, of a symbol on the charts. @param {string} symbol */
    candles: (symbol) =>
      desk.charts.find((chart) => chart.symbol === symbol)?.bars.map((bar) => ({ ...bar })) ?? [],
    /** All markers on the charts. */
    markers: () =>
      desk.charts.flatMap(({ role, symbol, markers }) =>
        markers.map(({ time, text, shape, position, color, id }) => ({
          role, symbol, time: Number(time), text, shape, position, color, signal_id: id,
        }))),
    /** Build-ups of a symbol on the charts. @param {string} symbol */
    buildUps: (symbol) => (desk.market.buildUps.get(symbol)?.rows ?? []).map((row) => ({ ...row })),
    signals: () => signals().map((signal) => ({ ...signal })),
    /** Times on the common axis and what each chart shows of it. */
    axis: () => ({
      times: desk.grid.times.slice(),
      visible: desk.charts.map(({ chart }) => ({ ...chart.timeScale().getVisibleLogicalRange() })),
    }),
    status,
    clock,
  }
  Object.defineProperty(window, "optionscalp", { value: Object.freeze(view) })
}
