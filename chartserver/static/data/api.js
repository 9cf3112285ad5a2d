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

  /** Whether the server was not there, or could not answer just then: another question fares alike. */
  get away() {
    return this.status === 0 || this.status === 429 || this.status >= 500
  }

  /** Whether waiting may help; otherwise a person has to change something. */
  get retryable() {
    return this.away || this.status === 404
  }
}

/** @typedef {Record<string, string | number | null | undefined | readonly string[]>} Query */

/**
 * @param {string} path
 * @param {Query} query empty values are left out, lists become repeated names
 */
export function url(path, query) {
  const given = Object.entries(query).flatMap(([name, value]) =>
    [value ?? ""].flat().filter((one) => one !== "").map((one) => [name, String(one)]))
  return `${path}?${new URLSearchParams(given)}`
}

/** @param {string} text */
const sentence = (text) => (/[.!?\u2026]$/.test(text) ? text : `${text}.`)

/**
 * The answer that the page's head asked for already, where it is of this address; given once.
 * @param {string} address
 * @returns {Promise<Response> | null}
 */
function begunAnswer(address) {
  const { begun } = /** @type {{begun?: {address: string, answer: Promise<Response>}}} */ (globalThis)
  if (begun?.address !== address) return null
  Object.assign(globalThis, { begun: undefined })
  return begun.answer
}

/**
 * GET JSON.
 * @param {string} path
 * @param {Query} query
 * @param {AbortSignal} [abort]
 * @returns {Promise<any>}
 * @throws {ApiError}
 */
export async function getJson(path, query, abort) {
  /** @type {Response} */
  let response
  try {
    const address = url(path, query)
    response = await (begunAnswer(address) ?? fetch(address, { signal: abort, cache: "no-store" }))
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
 * What a page asks of a range; null takes the usual choice.
 * @typedef {object} Asked
 * @property {string} underlying
 * @property {string | null} [expiry]
 * @property {number | null} [strike]
 * @property {number | null} [call] strike of the call alone
 * @property {number | null} [put]
 * @property {string} [symbols] by commas, instead of the usual ones
 * @property {string} [from]
 * @property {string} [to]
 */

/**
 * @param {Asked} query
 * @param {AbortSignal} [abort]
 * @returns {Promise<HistoryAnswer>}
 */
export const getHistory = (query, abort) =>
  getJson("/api/history", { ...query, interval: "1m" }, abort)

/**
 * @param {Asked} query
 * @param {AbortSignal} [abort]
 * @returns {Promise<HistoryAnswer>}
 */
export const getReplay = (query, abort) => getJson("/api/replay", { ...query }, abort)
