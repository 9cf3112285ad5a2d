/** @import { Ladder, LadderRow, Role } from "../data/types.js" */
/** @import { Price } from "../data/prices.js" */
/** @import { Around, Side } from "./ladder-row.js" */
import { nearestStrike } from "../data/atm.js"
import { byId, patch } from "../lib/dom.js"
import { Keyed } from "../lib/keyed.js"
import { observedAt, writeHead } from "./ladder-head.js"
import { keepCentred } from "./ladder-place.js"
import { Row } from "./ladder-row.js"

/**
 * What of the page the ladder depends on.
 * @typedef {object} LadderNow
 * @property {Record<Role, string | null>} contracts symbols on the charts
 * @property {number} market market time in seconds; NaN when unknown
 * @property {(symbol: string) => Price | null} priceOf price of a symbol whose candles are there
 * @property {number | null} [before] the index's previous close, where the ladder stands without ATM
 * @property {boolean} [dated] the ladder is of a moment of its own: say which
 * @property {string} [note] what to say where there is no ladder
 */

/** @param {LadderRow} row */
const strikeOf = ({ strike }) => strike

/**
 * The strike ladder: prices, open interest and greeks of calls and puts around the money. Its rows
 * are patched in place, each cell only where it changed.
 * @param {{pick: (strike: number, side?: Side) => void}} hooks
 */
export function createLadder({ pick }) {
  const box = byId("ladder")
  const place = keepCentred(box)
  /** @type {Keyed<LadderRow, Row>} */
  const rows = new Keyed(byId("ladder-rows"), (strike) => new Row(Number(strike), pick))
  /** @type {Around | null} */
  let around = null
  /** Whose ladder is on show. */
  let whose = ""
  /** @type {number | null} */
  let centre = null

  return {
    /** @param {Ladder | null} ladder @param {LadderNow} now */
    show(ladder, now) {
      if (box.hidden) return
      const listed = ladder?.rows ?? []
      const note = ladder ? "No strike of this expiry is listed yet." : now.note ?? ""
      patch(byId("ladder-note"), { hidden: listed.length > 0, textContent: note })
      writeHead(ladder, now.dated ?? false)
      around = same(around, aroundOf(ladder, now))
      const { priceOf, market } = now
      const changed = rows.differs(listed, strikeOf)
      if (changed) place.hold(listed.flatMap((row) => rows.parts.get(strikeOf(row))?.element ?? []))
      rows.show(listed, strikeOf, (row, values) => {
        row.write(values, /** @type {Around} */ (around))
        row.writePrices(values, priceOf, market)
      })
      const next = ladder ? `${ladder.underlying} ${ladder.expiry}` : whose
      if (next !== whose) place.follow()
      const middle = around.atm ?? middleOf(listed, now.before ?? null)
      if (next === whose && middle === centre && !changed) return
      whose = next
      centre = middle
      place.at(rows.parts.get(centre ?? NaN)?.element ?? null, around.atm !== null)
    },
  }
}

/** @param {Ladder | null} ladder @param {LadderNow} now @returns {Around} */
function aroundOf(ladder, { contracts }) {
  const { rows = [], atm_strike = null, support = null, resistance = null } = ladder ?? {}
  const most = rows.reduce((max, { call, put }) => Math.max(max, call.oi ?? 0, put.oi ?? 0), 1)
  return {
    observed: observedAt({ rows }), most, atm: atm_strike, support, resistance, call: contracts.call, put: contracts.put,
  }
}

/**
 * Where to stand while nothing tells the strike at the money: at the previous close, else in the
 * middle of the open interest, else of the strikes.
 * @param {readonly LadderRow[]} rows
 * @param {number | null} before
 */
function middleOf(rows, before) {
  const held = rows.map(({ call, put }) => (call.oi ?? 0) + (put.oi ?? 0))
  const all = held.reduce((sum, units) => sum + units, 0)
  const weighted = rows.reduce((sum, { strike }, i) => sum + strike * held[i], 0)
  if (before === null && all === 0) return rows[rows.length >> 1]?.strike ?? null
  return nearestStrike(before ?? weighted / all, rows.map(strikeOf))
}

/** The one before where nothing in it changed. @param {Around | null} before @param {Around} next */
function same(before, next) {
  const names = /** @type {(keyof Around)[]} */ (Object.keys(next))
  return before && names.every((name) => before[name] === next[name]) ? before : next
}
