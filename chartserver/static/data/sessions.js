import { getJson } from "./api.js"

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
