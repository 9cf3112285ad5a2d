/** @import { Interval } from "../data/aggregate.js" */
/** @import { Store } from "../data/store.js" */
/** @import { View } from "../data/view.js" */
/** @import { Settings } from "../lib/settings.js" */
import { INTERVALS, intervalName } from "../data/aggregate.js"
import { strategyOptions } from "../data/strategies.js"
import { byId, setText } from "../lib/dom.js"
import { writeLocation } from "../lib/location.js"
import { getSetting, setSetting } from "../lib/settings.js"
import { createChecks, createFold, createSelect, createSwitch } from "./controls.js"

const PANELS = ["signals", "ladder"]

/**
 * @typedef {object} Given what the URL says; null where it says nothing
 * @property {Interval | null} interval
 * @property {string | null} layout
 * @property {string | null} chart
 * @property {string[] | null} levels
 * @property {string[] | null} hide
 * @property {string | null} strategy
 */

/** @param {string | null} text @returns {Interval | null} */
const intervalOf = (text) => (text !== null && text in INTERVALS ? /** @type {Interval} */ (text) : null)

/**
 * Write a choice into the URL and remember it.
 * @template {keyof Settings} K
 * @param {K} name
 * @param {Settings[K]} value
 */
function keep(name, value) {
  setSetting(name, value)
  writeLocation({ [name]: Array.isArray(value) ? value.join(",") : String(value) })
}

/**
 * The controls both pages share: strategy, interval, layout, levels, folded panels. They are kept in
 * the URL and, all but the strategy, remembered by the browser; the URL wins.
 * @param {Given} given values of the URL
 * @param {View} view
 * @param {object} hooks
 * @param {() => void} hooks.changed
 * @param {() => void} hooks.filtered other signals are shown
 * @param {(panel: string) => void} hooks.unfolded
 */
export function createViewControls(given, view, hooks) {
  const { body } = document
  let interval = given.interval ?? intervalOf(getSetting("interval")) ?? "1m"
  const hidden = new Set(given.hide ?? getSetting("hide") ?? [])

  const intervals = createSwitch("intervals", (value) => {
    interval = intervalOf(value) ?? interval
    view.minutes = INTERVALS[interval]
    intervals.show(interval)
    keep("interval", interval)
    hooks.changed()
  })
  intervals.show(interval)
  view.minutes = INTERVALS[interval]

  const strategies = createSelect("strategy", (value) => {
    view.strategy = value || null
    writeLocation({ strategy: value })
    hooks.filtered()
  })
  view.strategy = given.strategy

  /** @param {"layout" | "chart"} name @param {string} group @param {string} value */
  const place = (name, group, value) => {
    const buttons = createSwitch(group, (next) => {
      body.dataset[name] = next
      keep(name, /** @type {any} */ (next))
    })
    body.dataset[name] = value
    buttons.show(value)
  }
  place("layout", "layouts", given.layout ?? getSetting("layout") ?? "columns")
  place("chart", "chart-choice", given.chart ?? getSetting("chart") ?? "index")

  view.levels = new Set(given.levels ?? getSetting("levels") ?? [])
  createChecks("levels", (chosen) => {
    view.levels = chosen
    keep("levels", [...chosen])
    hooks.changed()
  }).show(view.levels)

  for (const panel of PANELS) {
    const fold = createFold(panel, (open) => {
      if (open) hidden.delete(panel)
      else hidden.add(panel)
      keep("hide", [...hidden])
      if (open) hooks.unfolded(panel)
    })
    fold.show(!hidden.has(panel))
  }

  return {
    interval: () => interval,
    /**
     * Write what depends on the stored rows: strategies, and candles coarser than asked for.
     * @param {Store} store
     * @param {number} stored minutes of the stored candles
     */
    show(store, stored) {
      const found = [...store.signals.values()].map((signal) => signal.strategy)
      strategies.show(strategyOptions(found, view.strategy), view.strategy ?? "")
      const note = byId("stored-interval")
      note.hidden = stored <= INTERVALS[interval]
      setText(note, `only ${intervalName(stored)} candles stored`)
    },
  }
}
