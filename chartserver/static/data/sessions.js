import { getJson } from "./api.js"
import { createSelect } from "../panels/controls.js"
import * as format from "../lib/format.js"

/**
 * @typedef {object} StoredSession
 * @property {string} session "2026-01-21"
 * @property {number} [candles]
 * @property {number} [signals]
 */

/**
 * Stored sessions of an underlying, newest first.
 * @param {string} underlying
 * @returns {Promise<StoredSession[]>}
 */
export async function getSessions(underlying) {
  const answer = await getJson("/api/sessions", { underlying })
  /** @type {StoredSession[]} */
  const sessions = answer.sessions ?? []
  return sessions.toSorted((a, b) => b.session.localeCompare(a.session))
}

/**
 * The two lists that choose the first and the last session of a range.
 * @param {(from: string, to: string) => void} onPick
 */
export function createSessionPicker(onPick) {
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
      text: format.dateText(session) + (signals ? ` (${signals})` : ""),
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
