/** @import { Signal } from "./types.js" */

/** A strategy that is not listed here shows letters and the words of its own name. */
const KNOWN = /** @type {Record<string, {letter: string, name: string}>} */ ({
  delta_volume: { letter: "D", name: "Delta Volume" },
  pullback: { letter: "P", name: "Pullback" },
  vwap_trap: { letter: "V", name: "VWAP trap" },
})
/**
 * The newest version of a strategy's rules in sight, without what its own numbers add (`2+0a1b2c3d`).
 * It goes without saying.
 * @type {Map<string, string>}
 */
const newest = new Map()
const { compare } = new Intl.Collator("en", { numeric: true })

/** @param {string} strategy */
export const strategyName = (strategy) => KNOWN[strategy]?.name ?? strategy.replaceAll("_", " ")

/**
 * The short form that tells markers apart: one letter for those listed above, two of any other name,
 * so that none is taken for one of them.
 * @param {string} strategy
 */
export function strategyLetter(strategy) {
  const known = KNOWN[strategy]?.letter
  if (known) return known
  const [first, second] = strategy.split("_").filter(Boolean)
  const two = second ? first.charAt(0) + second.charAt(0) : (first ?? strategy).slice(0, 2)
  return two.charAt(0).toUpperCase() + (second ? two.slice(1).toUpperCase() : two.slice(1))
}

/** @typedef {Pick<Signal, "strategy" | "version">} Versioned */

/** A version without what its own numbers add. @param {string} version */
const rulesOf = (version) => version.split("+")[0]

/** Other signals are in sight: what was newest among those before counts no more. */
export const forgetVersions = () => newest.clear()

/** Learn which versions there are, before any is written. @param {Iterable<Versioned>} found */
export function meetVersions(found) {
  for (const { strategy, version } of found) {
    const rules = rulesOf(version)
    const known = newest.get(strategy)
    if (known === undefined || compare(known, rules) < 0) newest.set(strategy, rules)
  }
}

/** ` 2+0a1b2c3d` with numbers of its own, ` 1` beside a newer 2, else nothing. @param {Versioned} of */
const worthSaying = ({ strategy, version }) =>
  version === (newest.get(strategy) ?? rulesOf(version)) ? "" : ` ${version}`

/** `D`, or with its version. @param {Versioned} of */
export const strategyMark = (of) => strategyLetter(of.strategy) + worthSaying(of)

/** `Delta Volume`, or with its version. @param {Versioned} of */
export const strategyTitle = (of) => strategyName(of.strategy) + worthSaying(of)

/**
 * The letters and whose they are: the known strategies, then others that are in the data.
 * @param {Iterable<string>} found
 */
export const strategyKey = (found) =>
  [...new Set([...Object.keys(KNOWN), ...[...found].sort()])]
    .map((strategy) => ({ letter: strategyLetter(strategy), name: strategyName(strategy) }))

/**
 * Options of the strategy list: all, then the known strategies and those that are in the data.
 * @param {Iterable<string>} found
 * @param {string | null} chosen kept in the list even when there is none of it
 */
export function strategyOptions(found, chosen) {
  const names = new Set([...Object.keys(KNOWN), ...found, ...(chosen ? [chosen] : [])])
  return [
    { value: "", text: "All strategies" },
    ...[...names].map((value) => ({
      value, text: `${strategyLetter(value)} \u2022 ${strategyName(value)}`,
    })),
  ]
}
