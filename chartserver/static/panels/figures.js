import { FILLS, HISTORIES, horizonText } from "../data/horizons.js"

/**
 * What the figures were asked for.
 * @typedef {object} Counted
 * @property {string} from
 * @property {string} to
 * @property {string} direction
 * @property {string} horizon
 * @property {string} history
 * @property {string} fills
 */

/** What the statistics are about, and whose outcomes they are. @param {Counted} asked */
export const figuresText = (asked) =>
  `Outcomes ${horizonText(Number(asked.horizon))}, ${sides(asked)}, ${counted(asked)}`

/** @param {Counted} asked */
const sides = ({ direction }) =>
  (direction ? `${direction} signals; random entries have no direction` : "signals of both directions")

/** Whose outcomes they are, and what orders are taken to pay. @param {Counted} asked */
function counted({ history, fills }) {
  const which = history === "corrected" ? "as corrected: withdrawn ones left out"
    : "as known then: withdrawn ones too, from when they were first known"
  const paid = fills === "0" ? "bought and sold at the last price"
    : `${fills === "1" ? "1 spread" : "2 spreads"} and the slippage of stops paid`
  const usual = history === HISTORIES[0] && fills === FILLS[0]
  const table = usual ? "" : "; the table has them as corrected, with 1 spread paid"
  return `${which}; ${paid}${table}`
}

/** @param {Pick<Counted, "from" | "to">} asked */
export const rangeText = ({ from, to }) =>
  (from.slice(0, 10) === to.slice(0, 10) ? from : `${from} to ${to}`)

/** What is missing from the statistics. @param {string[]} sealed */
export function sealedText(sealed) {
  if (!sealed.length) return ""
  const range = [...new Set([sealed[0], sealed[sealed.length - 1]])].join(" to ")
  return `${sealed.length} sealed sessions (${range}) have no outcomes and count in no statistics, ` +
    "but for versions that they were opened for."
}
