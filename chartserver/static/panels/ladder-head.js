/** @import { Ladder } from "../data/types.js" */
import { byId, patch } from "../lib/dom.js"
import * as format from "../lib/format.js"

const FORWARDS = {
  future: "What the underlying costs at expiry: the future's close",
  parity: "What the underlying costs at expiry, from calls and puts of one strike around the money",
}

/** Time of the newest open interest. @param {Pick<Ladder, "rows">} ladder */
export const observedAt = ({ rows }) => rows.reduce(
  (newest, { call, put }) => Math.max(newest, call.oi_at ?? -Infinity, put.oi_at ?? -Infinity),
  -Infinity)

/**
 * Write what the ladder says as a whole, beside its title.
 * @param {Ladder | null} ladder
 * @param {boolean} dated whether it is of a moment of its own, as a replay's is
 */
export function writeHead(ladder, dated) {
  /** @param {string} name @param {string | null | undefined} value */
  const fact = (name, value) => (value == null ? "" : `${name} ${value}`)
  /** @param {number | null | undefined} strike */
  const count = (strike) => (strike == null ? null : format.count(strike))
  const unknown = ladder?.oi_unknown ?? 0
  const observed = ladder ? observedAt(ladder) : -Infinity
  const texts = {
    support: fact("Support", count(ladder?.support)),
    resistance: fact("Resistance", count(ladder?.resistance)),
    "max-pain": fact("Max pain", count(ladder?.max_pain)),
    pcr: fact("PCR", ladder?.pcr?.toFixed(2)) + (ladder?.pcr != null && unknown
      ? ` (without ${format.count(unknown)} of ${format.count(ladder.rows.length)} strikes)` : ""),
    forward: ladder?.forward == null ? "" : `Forward ${format.price(ladder.forward)}`,
    "ladder-time": [
      dated && ladder?.at ? `As of ${format.second(ladder.at)}` : "",
      observed === -Infinity ? "" : `OI of ${format.minute(observed)}`,
    ].filter(Boolean).join(", "),
  }
  for (const [id, textContent] of Object.entries(texts)) patch(byId(id), { textContent })
  patch(byId("forward"), { title: FORWARDS[ladder?.forward_source ?? "parity"] })
}
