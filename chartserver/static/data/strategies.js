/** @import { Signal } from "./types.js" */

/** A strategy that is not listed here shows letters and the words of its own name. */
const KNOWN = /** @type {Record<string, {letter: string, name: string}>} */ ({
  delta_volume: { letter: "D", name: "Delta Volume" },
  pullback: { letter: "P", name: "Pullback" },
  vwap_trap: { letter: "V", name: "VWAP trap" },
})
/** The version of the parameters as documented; only others are worth a mention. */
const USUAL_VERSION = "1"

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

/** `D`, or `D 1+0a1b2c3d` with other parameters. @param {Versioned} of */
export const strategyMark = ({ strategy, version }) =>
  version === USUAL_VERSION ? strategyLetter(strategy) : `${strategyLetter(strategy)} ${version}`

/** `Delta Volume`, or with its version. @param {Versioned} of */
export const strategyTitle = ({ strategy, version }) =>
  version === USUAL_VERSION ? strategyName(strategy) : `${strategyName(strategy)} ${version}`

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
