import { parseMoment } from "./format.js"
import { readLocation } from "./location.js"

/**
 * What a parameter of the address may be.
 * @template T
 * @typedef {object} Kind
 * @property {string} allowed in words
 * @property {(text: string) => T | null} read null for what is not allowed
 */

/**
 * A parameter that has a wrong value; its usual one counts until it is put right.
 * @typedef {{name: string, value: string, allowed: string}} Complaint
 */

/** @param {readonly string[]} words */
const listed = (words) =>
  words.length < 2 ? words.join() : `${words.slice(0, -1).join(", ")} or ${words[words.length - 1]}`

/**
 * One of some words, in capitals or not.
 * @template {string} T
 * @param {readonly T[]} words
 * @returns {Kind<T>}
 */
export const word = (words) => ({
  allowed: listed(words),
  read: (text) => words.find((one) => one.toLowerCase() === text.toLowerCase()) ?? null,
})

/**
 * Some of some words, separated by commas.
 * @template {string} T
 * @param {readonly T[]} words
 * @returns {Kind<T[]>}
 */
export const words = (words) => ({
  allowed: `${listed(words)}; several by commas`,
  read(text) {
    const found = text.split(",").map(word(words).read)
    return found.includes(null) ? null : /** @type {T[]} */ (found)
  },
})

/**
 * @param {number} least
 * @param {number} most
 * @returns {Kind<number>}
 */
export const number = (least, most) => ({
  allowed: `a number from ${least} to ${most}`,
  read(text) {
    const value = /^\d{1,9}(\.\d{1,6})?$/.test(text) ? Number(text) : NaN
    return value >= least && value <= most ? value : null
  },
})

/** @param {string} text whether its date is in the calendar: February has no 30th day */
const isDate = (text) =>
  new Date(`${text.slice(0, 10)}T00:00Z`).toJSON()?.slice(0, 10) === text.slice(0, 10)

/** @type {Kind<string>} */
export const day = {
  allowed: "a date such as 2026-01-27",
  read: (text) => (/^20\d\d-\d\d-\d\d$/.test(text) && isDate(text) ? text : null),
}

/** A date or a time in India, kept as it is written. @type {Kind<string>} */
export const dayOrTime = {
  allowed: "a date or a time in India such as 2026-01-27 or 2026-01-27T09:15",
  read: (text) =>
    /^20\d\d-\d\d-\d\d(T\d\d:\d\d(:\d\d)?)?$/.test(text) && isDate(text) &&
    parseMoment(text) !== null ? text : null,
}

/** UTC seconds of a moment. @type {Kind<number>} */
export const moment = {
  allowed: "a time in India such as 2026-01-27T10:42:15, or UTC seconds",
  read: (text) =>
    /^\d{9,10}$/.test(text) ? Number(text) : parseMoment(dayOrTime.read(text)),
}

/**
 * Whatever another reader understands.
 * @template T
 * @param {string} allowed
 * @param {(text: string) => T | null} read
 * @returns {Kind<T>}
 */
export const text = (allowed, read) => ({ allowed, read })

/**
 * Read the address. Nothing wrong in it is replaced in silence: whatever cannot be read, and every
 * name that no parameter has, is complained of. An empty parameter counts as absent.
 * @template {Record<string, Kind<any>>} K
 * @param {K} kinds by name
 * @param {URLSearchParams} [query]
 * @returns {{values: {[N in keyof K]: K[N] extends Kind<infer T> ? T | null : never},
 *   complaints: Complaint[]}} null for what is absent or wrong
 */
export function readParameters(kinds, query = readLocation()) {
  /** @type {Complaint[]} */
  const complaints = []
  const values = Object.entries(kinds).map(([name, kind]) => {
    const all = query.getAll(name)
    const given = all.join(" and ")
    const once = all.length < 2
    const value = given && once ? kind.read(given) : null
    const allowed = once ? kind.allowed : "given once"
    if (given && value === null) complaints.push({ name, value: given, allowed })
    return [name, value]
  })
  for (const [name, value] of query)
    if (!(name in kinds))
      complaints.push({ name, value, allowed: `no parameter; there are ${Object.keys(kinds).join(", ")}` })
  return { values: Object.fromEntries(values), complaints }
}

/** As the page says it. @param {readonly Complaint[]} complaints */
export const complaintText = (complaints) =>
  complaints.map(({ name, value, allowed }) =>
    allowed.startsWith("no parameter") ? `The address has ${name}=${value}, but that is ${allowed}.`
      : `The address has ${name}=${value}, which is not allowed: ${name} may be ${allowed}.`,
  ).join(" ")
