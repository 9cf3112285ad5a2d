/** @import { Desk } from "./desk.js" */
/** @import { Store } from "../data/store.js" */
/** @import { View } from "../data/view.js" */

/**
 * Put read-only views of the page on `window.optionscalp`, for tests and the curious.
 * @param {"live" | "replay"} page
 * @param {{store: Store, view: View, desk: Desk}} parts
 * @param {() => object} status
 * @param {() => object} clock
 */
export function expose(page, { store, view, desk }, status, clock) {
  const eyes = {
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
    /** Build-ups of a symbol. @param {string} symbol */
    buildUps: (symbol) => (store.buildUpTable(symbol)?.rows ?? []).map((row) => ({ ...row })),
    signals: () =>
      view.signals(store).filter((signal) => !signal.withdrawn).map((signal) => ({ ...signal })),
    ladder: () => structuredClone(store.ladder),
    /** Times on the common axis and what each chart shows of it. */
    axis: () => ({
      times: desk.grid.times.slice(),
      visible: desk.charts.map(({ places }) => ({ ...places })),
      wanted: desk.range.places(),
      live: desk.range.isLive,
    }),
    /** What the library itself holds and draws of each chart. */
    drawn: () =>
      desk.charts.map(({ role, symbol, series, axis, tag }) => ({
        role, symbol, last: series.data().at(-1) ?? null, bars: series.data().length,
        times: axis.times.length, tag: tag.price, tagText: tag.text(), outside: tag.outside(),
      })),
    /** Symbols whose candles the page holds. */
    held: () => [...store.candles.keys()],
    status,
    clock,
  }
  Object.defineProperty(window, "optionscalp", { value: Object.freeze(eyes) })
}
