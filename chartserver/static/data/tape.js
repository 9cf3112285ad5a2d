/** @import { Store } from "./store.js" */
/** @import { HistoryAnswer, Signal } from "./types.js" */
import { BuildUpReel, CandleReel, Order } from "./reel.js"

/**
 * A recorded range. The store holds what was known at the tape's time of the symbols on show, and
 * nothing else, whichever way that time was come to.
 */
export class Tape {
  /** @param {Store} store filled by the tape */
  constructor(store) {
    this.store = store
    /** @type {Map<string, {candles: CandleReel, buildUps: BuildUpReel}>} */
    this.reels = new Map()
    /** States of signals by the time from which they counted. @type {Signal[]} */
    this.states = []
    this.order = new Order([])
    this.played = -1
  }

  /** Forget everything. */
  clear() {
    this.reels.clear()
    this.takeSignals([], [])
  }

  /**
   * Take rows of symbols; those already there stay.
   * @param {HistoryAnswer} answer
   * @param {readonly (string | null | undefined)[]} asked symbols known to have no others
   */
  add(answer, asked) {
    const { candles, build_ups, forming = {} } = answer
    for (const symbol of new Set([...Object.keys(candles), ...Object.keys(build_ups), ...asked])) {
      if (!symbol || this.reels.has(symbol)) continue
      const rows = candles[symbol] ?? { t: [], o: [], h: [], l: [], c: [], k: [] }
      const labels = build_ups[symbol] ??
        { t: [], close: [], oi: [], oi_change: [], volume: [], label: [], k: [] }
      this.reels.set(symbol, {
        candles: new CandleReel(rows, forming[symbol]), buildUps: new BuildUpReel(labels),
      })
    }
  }

  /**
   * @param {readonly Signal[]} signals as they are
   * @param {readonly (Signal & {revised_at: number})[]} revised as they were before corrections
   */
  takeSignals(signals, revised) {
    /** @type {Map<string, (Signal & {revised_at?: number})[]>} */
    const lives = new Map()
    for (const state of [...revised, ...signals])
      lives.set(state.signal_id, [...lives.get(state.signal_id) ?? [], state])
    const moments = [...lives.values()].flatMap((states) => {
      states.sort((a, b) => a.revision - b.revision)
      return states.flatMap((state, i) => {
        const from = states[i - 1]?.revised_at ?? state.known_at
        const until = state.revised_at ?? Infinity
        const { withdrawn_at: gone } = state
        // A signal stood until it was taken back.
        const stood = { time: from, state: { ...state, withdrawn: false } }
        if (!state.withdrawn || gone == null || gone >= until) return [stood]
        return [stood, { time: Math.max(gone, from), state: { ...state, withdrawn: true } }]
      })
    })
    moments.sort((a, b) => a.time - b.time)
    this.states = moments.map(({ state }) => state)
    this.order = new Order(moments.map(({ time }) => time))
    this.played = -1
  }

  /** @param {string | null} symbol */
  has(symbol) {
    return symbol === null || this.reels.has(symbol)
  }

  /**
   * Let the store hold what was known of some symbols.
   * @param {number} time
   * @param {readonly (string | null)[]} shown
   */
  show(time, shown) {
    const { store } = this
    for (const symbol of store.candles.keys())
      if (!shown.includes(symbol)) {
        store.candles.delete(symbol)
        store.buildUps.delete(symbol)
      }
    for (const symbol of shown) {
      const reels = this.reels.get(symbol ?? "")
      if (!symbol || !reels) continue
      reels.candles.play(time)
      reels.buildUps.play(time)
      store.candles.set(symbol, reels.candles.table)
      store.buildUps.set(symbol, reels.buildUps.table)
    }
    const count = this.order.count(time)
    if (count === this.played) return
    this.played = count
    store.setSignals(this.states.slice(0, count))
  }

  /**
   * Orders of all that is on show: candles, build-ups, signals.
   * @param {readonly (string | null)[]} shown
   * @param {(signal: Signal) => boolean} isShown
   */
  orders(shown, isShown) {
    const reels = shown.map((symbol) => this.reels.get(symbol ?? "")).filter((one) => one !== undefined)
    const times = this.states.map((state, i) => ({ state, time: this.order.known[i] }))
      .filter(({ state }) => isShown(state)).map(({ time }) => time)
    return [
      ...reels.flatMap(({ candles, buildUps }) => [candles.order, buildUps.order]), new Order(times),
    ]
  }
}
