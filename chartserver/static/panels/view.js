/** @import { Interval } from "../data/aggregate.js" */
/** @import { Desk } from "../charts/desk.js" */
import { INTERVALS } from "../data/aggregate.js"
import { createFold, createSelect, createSwitch } from "./controls.js"
import { byId, setText } from "../lib/dom.js"
import { oneOf, writeLocation } from "../lib/location.js"
import { strategyOptions } from "../data/strategies.js"

const LAYOUTS = /** @type {const} */ (["columns", "focus", "rows"])
const PANELS = ["signals", "ladder"]

/** The URL's name of an interval. @param {number} minutes */
export const intervalName = (minutes) => (minutes === 60 ? "1h" : `${minutes}m`)

/**
 * The controls both pages share: strategy, interval, layout, folded panels; all kept in the URL.
 * @param {URLSearchParams} query
 * @param {Desk} desk
 * @param {object} hooks
 * @param {() => void} hooks.changed
 * @param {() => void} hooks.filtered other signals are shown
 * @param {(panel: string) => void} hooks.unfolded
 */
export function createView(query, desk, hooks) {
  const names = /** @type {Interval[]} */ (Object.keys(INTERVALS))
  let interval = oneOf(query, "interval", names)
  const named = (query.get("hide") ?? "").split(",")
  const hidden = new Set(named.filter((name) => PANELS.includes(name)))

  const intervals = createSwitch("intervals", (value) => {
    interval = /** @type {Interval} */ (value)
    writeLocation({ interval })
    desk.setInterval(INTERVALS[interval])
    hooks.changed()
  })
  intervals.show(interval)
  desk.setInterval(INTERVALS[interval])

  const strategies = createSelect("strategy", (value) => {
    desk.market.showStrategy(value || null)
    writeLocation({ strategy: value })
    hooks.filtered()
  })
  desk.market.showStrategy(query.get("strategy") || null)

  const layouts = createSwitch("layouts", (layout) => {
    document.body.dataset.layout = layout
    writeLocation({ layout: layout === LAYOUTS[0] ? null : layout })
  })
  document.body.dataset.layout = oneOf(query, "layout", LAYOUTS)
  layouts.show(document.body.dataset.layout)

  for (const panel of PANELS) {
    const fold = createFold(panel, (open) => {
      if (open) hidden.delete(panel)
      else hidden.add(panel)
      writeLocation({ hide: [...hidden].join(",") })
      if (open) hooks.unfolded(panel)
    })
    fold.show(!hidden.has(panel))
  }

  return {
    interval: () => interval,
    /** Write what depends on the stored rows: strategies, and candles coarser than asked for. */
    show() {
      const { signals, strategy, storedMinutes: stored } = desk.market
      const found = [...signals.values()].map((signal) => signal.strategy)
      strategies.show(strategyOptions(found, strategy), strategy ?? "")
      const note = byId("stored-interval")
      note.hidden = stored <= INTERVALS[interval]
      setText(note, `only ${intervalName(stored)} candles stored`)
    },
  }
}
