/** @import { Ladder } from "./types.js" */
import { count } from "../lib/format.js"
import { lowerBound } from "../lib/search.js"

/**
 * Which strike of a side is shown: so many listed strikes from ATM, the one of about a delta, or a
 * fixed one. As text: `atm`, `atm+2`, `delta0.40`, `25600`.
 * @typedef {{kind: "atm", offset: number} | {kind: "delta", delta: number}
 *   | {kind: "fixed", strike: number}} Rule
 */

/** @type {Rule} */
export const AT_THE_MONEY = { kind: "atm", offset: 0 }
/** What the lists offer. */
export const OFFSETS = [-3, -2, -1, 0, 1, 2, 3]
export const DELTAS = [0.6, 0.5, 0.4, 0.3, 0.2]

/**
 * @param {string | null | undefined} text
 * @returns {Rule | null} null when it is none
 */
export function parseRule(text) {
  const given = (text ?? "").trim().toLowerCase().replace("atm ", "atm+")
  const offset = /^atm([+-]\d{1,2})?$/.exec(given)
  if (offset) return { kind: "atm", offset: Number(offset[1] ?? 0) }
  const delta = /^delta(0?\.\d{1,2})$/.exec(given)
  if (delta && Number(delta[1]) > 0) return { kind: "delta", delta: Number(delta[1]) }
  return /^[1-9]\d{0,6}$/.test(given) ? { kind: "fixed", strike: Number(given) } : null
}

/** @param {Rule} rule */
export function ruleText(rule) {
  if (rule.kind === "fixed") return String(rule.strike)
  if (rule.kind === "delta") return `delta${rule.delta.toFixed(2)}`
  return rule.offset ? `atm${rule.offset > 0 ? "+" : ""}${rule.offset}` : "atm"
}

/** Both sides at one strike. @param {number} strike @returns {{call: Rule, put: Rule}} */
export const fixedAt = (strike) =>
  ({ call: { kind: "fixed", strike }, put: { kind: "fixed", strike } })

/** A fixed strike means nothing for another underlying or expiry. @param {Rule} rule */
export const loosened = (rule) => (rule.kind === "fixed" ? AT_THE_MONEY : rule)

/** As the URL has them: `strike` for both sides, else `call` and `put`. @param {{call: Rule, put: Rule}} rules */
export function writtenRules(rules) {
  const [call, put] = [ruleText(rules.call), ruleText(rules.put)]
  const same = call === put
  return {
    strike: same && call !== "atm" ? call : null, call: same ? null : call, put: same ? null : put,
  }
}

/** As the lists say it. @param {Rule} rule */
export function ruleName(rule) {
  if (rule.kind === "fixed") return String(rule.strike)
  if (rule.kind === "delta") return `Delta ${rule.delta.toFixed(2)}`
  if (!rule.offset) return "ATM"
  return `ATM ${rule.offset > 0 ? "+" : "\u2212"}${Math.abs(rule.offset)}`
}

/**
 * The rule that means the next strike up or down from where a side stands.
 * @param {Rule} rule
 * @param {1 | -1} by
 * @param {readonly number[]} strikes ascending
 * @param {number | null} shown the side's strike now
 * @returns {Rule} the same where there is none
 */
export function stepRule(rule, by, strikes, shown) {
  const place = shown === null ? -1 : strikes.indexOf(shown)
  const next = place < 0 ? undefined : strikes[place + by]
  return next === undefined ? rule : { kind: "fixed", strike: next }
}

/**
 * Which rules no listed strike satisfies, in words; not those that name a strike.
 * @param {{call: Rule, put: Rule}} rules
 * @param {number | null} atm
 * @param {readonly number[]} strikes ascending
 */
export function unmetText({ call, put }, atm, strikes) {
  if (atm === null || !strikes.length) return ""
  const now = { atm, strikes, ladder: null, shown: null }
  const unmet = [call, put].filter((rule) =>
    rule.kind === "atm" && strikeOf(rule, "call", now) === null)
  const ends = `${count(strikes[0])} to ${count(strikes[strikes.length - 1])}`
  return [...new Set(unmet.map(ruleName))].map((name) =>
    `No strike is ${name}: those listed are ${ends}, and ATM is ${count(atm)}.`).join(" ")
}

/** Another strike must be nearer to the wanted delta by so much before it replaces the shown one. */
const DELTA_LEAD = 0.03

/**
 * The strike that a rule means now; null where it cannot be told.
 * @param {Rule} rule
 * @param {"call" | "put"} side
 * @param {object} now
 * @param {number | null} now.atm
 * @param {readonly number[]} now.strikes ascending
 * @param {Ladder | null} now.ladder
 * @param {number | null} now.shown the side's strike so far
 */
export function strikeOf(rule, side, { atm, strikes, ladder, shown }) {
  if (rule.kind === "fixed") return rule.strike
  if (rule.kind === "atm") {
    const place = atm === null ? -1 : lowerBound(strikes, atm)
    return place < 0 ? null : strikes[place + rule.offset] ?? null
  }
  const rows = (ladder?.rows ?? []).filter((row) => row[side].delta !== null)
  /** @param {typeof rows[number]} row */
  const miss = (row) => Math.abs(Math.abs(row[side].delta ?? 0) - rule.delta)
  const best = rows.reduce(
    (found, row) => (found && miss(found) <= miss(row) ? found : row), /** @type {typeof rows[number] | null} */ (null))
  const now = rows.find((row) => row.strike === shown)
  // Before the ladder is there, the charts stand at the money.
  if (!best) return shown ?? atm
  return now && miss(now) - miss(best) < DELTA_LEAD ? now.strike : best.strike
}
