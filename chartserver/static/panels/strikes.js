/** @import { Rule } from "../data/rules.js" */
/** @import { Store } from "../data/store.js" */
/** @import { Option } from "./controls.js" */
import {
  AT_THE_MONEY, DELTAS, OFFSETS, parseRule, ruleName, ruleText, stepRule,
} from "../data/rules.js"
import { byId, setText } from "../lib/dom.js"
import * as format from "../lib/format.js"
import { registerKeys } from "../lib/keys.js"
import { createSelect, createToggle } from "./controls.js"

/** How long it is said that ATM moved. */
const SAID_MS = 8000

/**
 * The lists that choose the strikes: one for both sides, one for each; and the button that holds
 * them where they are.
 * @param {{rules: {call: Rule, put: Rule}, readonly atm: number | null, frozen: boolean}} contracts
 * @param {(rules: {call: Rule, put: Rule}) => void} pick
 * @param {(frozen: boolean) => void} freeze
 * @param {() => {strikes: readonly number[], call: number | null, put: number | null}} standing the
 *   listed strikes, and those on show
 */
export function createStrikes(contracts, pick, freeze, standing) {
  const both = createSelect("strike", (value) => {
    const rule = parseRule(value) ?? AT_THE_MONEY
    pick({ call: rule, put: rule })
  })
  const sides = /** @type {const} */ (["call", "put"]).map((side) => ({
    side,
    list: createSelect(side, (value) =>
      pick({ ...contracts.rules, [side]: parseRule(value) ?? AT_THE_MONEY })),
  }))
  const hold = createToggle("freeze", freeze)
  /** @param {1 | -1} by */
  const step = (by) => {
    const { rules } = contracts
    const { strikes, call, put } = standing()
    pick({
      call: stepRule(rules.call, by, strikes, call), put: stepRule(rules.put, by, strikes, put),
    })
  }
  registerKeys([
    { keys: ["PageUp", "+"], does: "One strike up", run: () => step(1) },
    { keys: ["PageDown", "-"], does: "One strike down", run: () => step(-1) },
  ])
  let said = 0

  return {
    /** @param {Store} store */
    show({ answer, atm: near }) {
      const strikes = answer?.strikes ?? []
      const { rules, atm, frozen } = contracts
      const call = ruleText(rules.call)
      const same = call === ruleText(rules.put)
      const held = near === atm ? "ATM" : "ATM, holding"
      const automatic = atm === null ? "ATM" : `${held} ${format.count(atm)}`
      const fixed = strikes.map((strike) => fixedOption(strike, atm))
      both.show(
        [
          { value: "", text: automatic }, ...(same ? [] : [{ value: "apart", text: "Chosen apart" }]),
          ...fixed, ...(same ? extra(rules.call, strikes) : []),
        ],
        !same ? "apart" : call === "atm" ? "" : call)
      for (const { side, list } of sides)
        list.show(
          [
            ...automaticRules(), ...fixed.map((one) => ({ ...one, group: "Fixed" })),
            ...extra(rules[side], strikes),
          ],
          ruleText(rules[side]))
      hold.show(frozen)
    },
    /** Say that ATM moved by itself. @param {number} strike @param {string} when */
    moved(strike, when) {
      const note = byId("atm-note")
      setText(note, `ATM moved to ${format.count(strike)} at ${when}`)
      note.hidden = false
      clearTimeout(said)
      said = window.setTimeout(() => (note.hidden = true), SAID_MS)
    },
  }
}

/** @param {number} strike @param {number | null} atm */
const fixedOption = (strike, atm) => ({
  value: String(strike),
  text: strike === atm ? `${format.count(strike)} \u2022 ATM` : format.count(strike),
  meant: strike === atm,
})

/** What can be chosen besides fixed strikes. @returns {Option[]} */
const automaticRules = () => [
  ...OFFSETS.map((offset) => option({ kind: "atm", offset }, "From ATM")),
  ...DELTAS.map((delta) => option({ kind: "delta", delta }, "By delta")),
]

/** @param {Rule} rule @param {string} group @returns {Option} */
const option = (rule, group) => ({ value: ruleText(rule), text: ruleName(rule), group })

/**
 * A rule that the lists do not have, such as a strike that is not listed.
 * @param {Rule} rule
 * @param {readonly number[]} strikes
 */
function extra(rule, strikes) {
  const value = ruleText(rule)
  const known = rule.kind === "fixed" ? strikes.includes(rule.strike)
    : automaticRules().some((one) => one.value === value)
  return known || value === "atm" ? [] : [{ value, text: ruleName(rule) }]
}
