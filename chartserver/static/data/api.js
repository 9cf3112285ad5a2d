/** @import { HistoryAnswer } from "./types.js" */

/** A request that gave no usable answer. `status` is 0 when the server did not answer at all. */
export class ApiError extends Error {
  /**
   * @param {string} message
   * @param {number} status
   */
  constructor(message, status) {
    super(message)
    this.name = "ApiError"
    this.status = status
  }

  /** Whether waiting may help; otherwise a person has to change something. */
  get retryable() {
    return this.status === 0 || this.status === 404 || this.status === 429 || this.status >= 500
  }
}

/**
 * @param {string} path
 * @param {Record<string, string | number | null | undefined>} query empty values are left out
 */
export function url(path, query) {
  const given = Object.entries(query).filter(([, value]) => value != null && value !== "")
  return `${path}?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}`
}

/** @param {string} text */
const sentence = (text) => (/[.!?\u2026]$/.test(text) ? text : `${text}.`)

/**
 * GET JSON.
 * @param {string} path
 * @param {Record<string, string | number | null | undefined>} query
 * @param {AbortSignal} [abort]
 * @returns {Promise<any>}
 * @throws {ApiError}
 */
export async function getJson(path, query, abort) {
  /** @type {Response} */
  let response
  try {
    response = await fetch(url(path, query), { signal: abort, cache: "no-store" })
  } catch (error) {
    if (abort?.aborted) throw error
    throw new ApiError("The chart server does not answer.", 0)
  }
  const body = await response.json().catch(() => null)
  if (!response.ok) {
    const told = body?.error ?? `The chart server answered ${response.status}`
    throw new ApiError(sentence(told), response.status)
  }
  if (body === null) throw new ApiError("The chart server's answer is not readable.", 502)
  return body
}

/**
 * @param {{underlying: string, expiry?: string | null, strike?: number | null}} query
 * @param {AbortSignal} [abort]
 * @returns {Promise<HistoryAnswer>}
 */
export const getHistory = (query, abort) =>
  getJson("/api/history", { ...query, interval: "1m" }, abort)

/**
 * @param {{underlying: string, from: string, to: string, strike?: number | null}} query
 * @param {AbortSignal} [abort]
 * @returns {Promise<HistoryAnswer>}
 */
export const getReplay = (query, abort) => getJson("/api/replay", query, abort)
