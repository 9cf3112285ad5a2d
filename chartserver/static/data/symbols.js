import { dateText } from "../lib/format.js"

const OPTION = /^([A-Z]+?)(\d{6})([CP])(\d+)$/

/**
 * Read a canonical option symbol such as `NIFTY260127C25000`.
 * @param {string | null | undefined} symbol
 */
export function parseOption(symbol) {
  const found = OPTION.exec(symbol ?? "")
  if (!found) return null
  const [, underlying, day, letter, strike] = found
  const expiry = `20${day.slice(0, 2)}-${day.slice(2, 4)}-${day.slice(4)}`
  return {
    underlying,
    expiry,
    strike: Number(strike),
    letter: /** @type {"C" | "P"} */ (letter),
    /** As desks write it: CE or PE. */
    kind: letter === "C" ? "CE" : "PE",
  }
}

/** `25000 CE`, or the symbol itself. @param {string} symbol */
export function shortName(symbol) {
  const option = parseOption(symbol)
  return option ? `${option.strike} ${option.kind}` : symbol
}

/** `CE 25000`, as markers say it. @param {string} symbol */
export function markerName(symbol) {
  const option = parseOption(symbol)
  return option ? `${option.kind} ${option.strike}` : symbol
}

/** `NIFTY 25000 CE, 27 Jan 2026`. @param {string} symbol */
export function longName(symbol) {
  const option = parseOption(symbol)
  if (!option) return symbol
  return `${option.underlying} ${option.strike} ${option.kind}, ${dateText(option.expiry)}`
}

/** `NIFTY` of `NIFTY260127C25000`, `NIFTY1!` or `NIFTY`. @param {string} symbol */
export const underlyingOf = (symbol) => /^[A-Z&-]+/.exec(symbol)?.[0] ?? symbol

/**
 * `NIFTY260127C25000`.
 * @param {string} underlying
 * @param {string} expiry "2026-01-27"
 * @param {"call" | "put"} side
 * @param {number} strike
 */
export const optionSymbol = (underlying, expiry, side, strike) =>
  `${underlying}${expiry.slice(2).replaceAll("-", "")}${side === "call" ? "C" : "P"}${strike}`
