/** @import { Asked } from "./api.js" */
/** @import { Rule } from "./rules.js" */
import { readParameters } from "../lib/parameters.js"
import { getSetting } from "../lib/settings.js"
import { LIVE_PARAMETERS } from "./parameters.js"
import { AT_THE_MONEY, parseRule } from "./rules.js"

/**
 * What the live page shows. `strike` of the URL means both sides, `call` and `put` one; where it says
 * nothing the browser's memory counts.
 * @typedef {object} Choice
 * @property {string} underlying
 * @property {string | null} expiry null for the nearest
 * @property {Rule} call
 * @property {Rule} put
 * @property {boolean} future the future instead of the index
 */

export const { values: given, complaints } = readParameters(LIVE_PARAMETERS)

/** @returns {Choice} */
export function readChoice() {
  return {
    underlying: given.underlying ?? getSetting("underlying") ?? "NIFTY",
    expiry: given.expiry,
    call: given.call ?? given.strike ?? remembered("call"),
    put: given.put ?? given.strike ?? remembered("put"),
    future: (given.instrument ?? getSetting("instrument")) === "future",
  }
}

/** A fixed strike is of its day; only rules are remembered. @param {"call" | "put"} side */
function remembered(side) {
  const rule = parseRule(getSetting(side))
  return rule && rule.kind !== "fixed" ? rule : AT_THE_MONEY
}

/**
 * The choice as a question to the server, which knows fixed strikes only.
 * @param {Choice} choice
 * @returns {Asked}
 */
export function askedOf({ underlying, expiry, call, put }) {
  return {
    underlying, expiry, call: call.kind === "fixed" ? call.strike : null,
    put: put.kind === "fixed" ? put.strike : null,
  }
}
