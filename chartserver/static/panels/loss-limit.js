/** @import { LossLimit } from "../data/types.js" */
import { dayOf } from "../data/hours.js"
import { strategyTitle } from "../data/strategies.js"
import { byId, element, patch } from "../lib/dom.js"
import * as format from "../lib/format.js"

/**
 * What of a replay's limits was known at a time, of the session that it is in.
 * @param {readonly LossLimit[]} limits
 * @param {number} time
 */
export const knownLimits = (limits, time) => limits.filter(
  ({ known_at: known = Infinity }) => known <= time && dayOf(known) === dayOf(time))

/** @param {LossLimit} limit */
const since = (limit) => (limit.since === null ? "" : ` at ${format.minute(limit.since)}`)

/** @param {LossLimit} limit */
const sentence = (limit) =>
  `${strategyTitle(limit)}: daily loss limit reached${since(limit)}, no new entries`

/**
 * The badge of strategies that take no new entries today.
 * @param {readonly LossLimit[]} limits of any underlyings
 * @param {string} underlying whose are shown
 */
export function showLossLimit(limits, underlying) {
  const reached = limits.filter((limit) => limit.underlying === underlying)
  const badge = byId("loss-limit")
  const names = reached.map(strategyTitle).join(", ")
  patch(badge, { hidden: reached.length === 0 })
  // The header of a narrower window leaves the names to the tip.
  if (badge.dataset.names !== names)
    badge.replaceChildren(
      "Loss limit", element("span", { className: "names", textContent: `: ${names}` }))
  badge.dataset.names = names
  badge.dataset.tip = reached.map(sentence).join("; ")
}
