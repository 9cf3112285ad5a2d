import { byId, setText } from "../lib/dom.js"
import { rangeText } from "./figures.js"

/** @typedef {Record<"underlying" | "from" | "to" | "strategy" | "version" | "direction", string>} Asked */

/**
 * Say why a table is empty, and what to do.
 * @param {number} rows
 * @param {Asked} asked of the server
 * @param {{outcome: string, tab: string}} choice made of what it answered
 */
export function explainNothing(rows, asked, { outcome, tab }) {
  byId("nothing").hidden = rows > 0
  if (rows) return
  const { underlying, from, to, strategy, version, direction } = asked
  const narrowed = Boolean(strategy || version || direction || (outcome && tab === "signals"))
  byId("clear").hidden = !narrowed
  const range = rangeText(asked)
  const what = tab === "rejected" ? "rejected candidate" : "signal"
  setText(byId("nothing-text"),
    !from ? `No session of ${underlying} is stored yet. Import recorded days with: ` +
      "optionscalp import FILE"
      : narrowed ? `No ${what} of ${range} matches these filters.`
        : tab === "rejected" ? `No candidate was rejected in ${range}.`
          : `No signal of ${underlying} in ${range}. To compute them again: ` +
            `optionscalp signals --from ${from.slice(0, 10)} --to ${to.slice(0, 10)}`)
}
