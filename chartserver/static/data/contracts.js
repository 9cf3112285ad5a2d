/** @import { Live } from "./live.js" */
/** @import { Rule } from "./rules.js" */
/** @import { Store } from "./store.js" */
/** @import { View } from "./view.js" */
import { lowerBound } from "../lib/search.js"
import { CalmAtm } from "./atm.js"
import { AT_THE_MONEY, ruleText, strikeOf } from "./rules.js"
import { optionSymbol, parseOption } from "./symbols.js"

/** @typedef {{call: number | null, put: number | null}} Strikes */

const SIDES = /** @type {const} */ (["call", "put"])
/**
 * Strikes on each side of those shown whose candles are read ahead, so that a change is at once. Before
 * the first change only on spot's side: more would weigh as much as all the rest of a first load.
 */
const AHEAD = 1
/** After the charts changed; what is on show comes first. */
const READ_AHEAD_MS = 300

/**
 * Decides which contracts the charts show: by the rules of the two sides and the calm ATM. The view
 * changes at once for all charts, when the candles of all of them are there.
 */
export class Contracts {
  /**
   * @param {Store} store
   * @param {View} view
   * @param {object} hooks
   * @param {() => Live} hooks.live
   * @param {() => number} hooks.patience milliseconds that spot must stay
   * @param {(atm: number) => void} hooks.moved ATM moved by itself
   * @param {() => void} hooks.changed other contracts are on show
   */
  constructor(store, view, hooks) {
    this.store = store
    this.view = view
    this.hooks = hooks
    /** @type {{call: Rule, put: Rule}} */
    this.rules = { call: AT_THE_MONEY, put: AT_THE_MONEY }
    /** Strikes that are held, whatever spot does. @type {Strikes | null} */
    this.held = null
    /** A rule that was just chosen begins without regard to what is on show. */
    this.fresh = { call: true, put: true }
    /** How often other contracts came on show; the first ones count. */
    this.changes = 0
    /** Whether the future stands in the index's place. */
    this.future = false
    this.calm = new CalmAtm(hooks.patience, () => {
      this.hooks.moved(this.calm.strike ?? NaN)
      this.settle()
    })
    /** What is being read, as text. */
    this.wanted = ""
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.reading = undefined
  }

  /** Whether the strikes are held where they are. */
  get frozen() {
    return this.held !== null
  }

  /**
   * Choose by other rules; nothing is held any more.
   * @param {{call: Rule, put: Rule}} rules
   */
  choose(rules) {
    for (const side of SIDES)
      if (ruleText(rules[side]) !== ruleText(this.rules[side])) this.fresh[side] = true
    this.rules = rules
    this.held = null
  }

  /** The strike at the money that the charts follow. */
  get atm() {
    return this.calm.strike
  }

  /** The store was filled anew. @param {boolean} other for another underlying or expiry */
  loaded(other) {
    const { strikes = [], atm_strike = null } = this.store.answer ?? {}
    const { strike } = this.calm
    if (other || strike === null || !strikes.includes(strike)) this.calm.place(atm_strike)
    this.wanted = ""
    this.settle()
    this.readAhead()
  }

  /** Look whether spot asks for other contracts. */
  follow() {
    const { store } = this
    if (!this.frozen) this.calm.see(store.spot, store.answer?.strikes ?? [])
    this.settle()
  }

  /** @param {Strikes | null} strikes to hold; null lets them follow */
  hold(strikes) {
    this.held = strikes
    this.calm.stay()
  }

  /** Show what the rules say, once it is there. */
  settle() {
    const { store, view } = this
    const { answer } = store
    if (!answer) return
    const next = this.next()
    const symbols = Object.values(next).filter((symbol) => symbol !== null)
    const key = symbols.join()
    const shown = Object.values(view.contracts).filter((symbol) => symbol !== null).join()
    if (key === shown) {
      this.wanted = ""
      this.fresh = { call: false, put: false }
      return
    }
    if (symbols.every((symbol) => store.has(symbol))) {
      this.wanted = ""
      view.contracts = next
      this.changes += 1
      this.fresh = { call: false, put: false }
      this.hooks.changed()
      return this.readAhead()
    }
    if (key === this.wanted) return
    this.wanted = key
    void this.hooks.live().want(symbols).then(() => {
      // Others may be wanted by now, or the store was filled anew.
      if (this.wanted !== key || store.answer !== answer) return
      this.wanted = ""
      if (symbols.every((symbol) => store.has(symbol))) this.settle()
    })
  }

  /** The symbols that the rules mean now. */
  next() {
    const { answer, ladder } = this.store
    const { contracts } = this.view
    /** @param {"call" | "put"} side */
    const symbol = (side) => {
      if (!answer?.expiry) return null
      const shown = this.fresh[side] ? null : parseOption(contracts[side])?.strike ?? null
      const strike = this.held ? this.held[side] : strikeOf(this.rules[side], side, {
        atm: this.calm.strike, strikes: answer.strikes, ladder, shown,
      })
      return strike !== null && answer.strikes.includes(strike)
        ? optionSymbol(answer.underlying, answer.expiry, side, strike) : null
    }
    const index = (this.future ? answer?.symbols.future : null) ?? answer?.symbols.index ?? null
    return { index, call: symbol("call"), put: symbol("put") }
  }

  /** Read the candles of the strikes around those shown, when the page has nothing else to do. */
  readAhead() {
    clearTimeout(this.reading)
    this.reading = setTimeout(() => this.readAround(), READ_AHEAD_MS)
  }

  readAround() {
    const { answer, spot } = this.store
    if (!answer?.expiry) return
    const { underlying, expiry, strikes } = answer
    const symbols = SIDES.flatMap((side) => {
      const shown = parseOption(this.view.contracts[side])?.strike ?? Infinity
      const place = lowerBound(strikes, shown)
      const [below, above] = spot === null || this.changes > 1
        ? [AHEAD, AHEAD] : spot < shown ? [AHEAD, 0] : [0, AHEAD]
      return strikes.slice(Math.max(0, place - below), place + above + 1)
        .map((strike) => optionSymbol(underlying, expiry, side, strike))
    })
    void this.hooks.live().want(symbols)
  }

  /** Strikes on show. @returns {Strikes} */
  shown() {
    const { call, put } = this.view.contracts
    return { call: parseOption(call)?.strike ?? null, put: parseOption(put)?.strike ?? null }
  }
}
