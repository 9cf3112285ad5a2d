/** @import { StoredSession } from "../data/sessions.js" */
import * as format from "../lib/format.js"
import { createSelect } from "./controls.js"

/**
 * The two lists that choose the first and the last session of a range.
 * @param {(from: string, to: string) => void} onPick
 * @param {boolean} [counted] whether a session says how many signals it has; in a replay that would
 *   tell of signals before they are known
 */
export function createSessionPicker(onPick, counted = true) {
  /** @type {StoredSession[]} */
  let stored = []
  let range = { from: "", to: "" }
  const first = createSelect("session-from", (from) => {
    // A first session alone means that session; a range is made with the second list.
    const single = range.from.slice(0, 10) === range.to.slice(0, 10)
    onPick(from, single || range.to < from ? from : range.to)
  })
  const last = createSelect("session-to", (to) => onPick(range.from > to ? to : range.from, to))

  /** @param {string} extra a date of the URL that may not be stored */
  function options(extra) {
    const rows = stored.map(({ session, signals }) => ({
      value: session,
      text: format.dateText(session) + (signals && counted ? ` (${signals})` : ""),
    }))
    const day = extra.slice(0, 10)
    if (day && !rows.some(({ value }) => value === day))
      rows.push({ value: day, text: `${format.dateText(day)}, not stored` })
    return rows
  }
  return {
    /** @param {StoredSession[]} sessions @param {string} from @param {string} to */
    show(sessions, from, to) {
      stored = sessions
      range = { from, to }
      first.show(options(from), from.slice(0, 10))
      last.show(options(to), to.slice(0, 10))
    },
  }
}
