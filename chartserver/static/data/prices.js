/** @import { Store } from "./store.js" */
/** @import { LadderSide } from "./types.js" */

/** @typedef {{price: number, at: number}} Price with the end of the interval it is of */

/**
 * Close of a symbol's newest candle; null where the store has none of it.
 * @param {Store} store
 * @param {string} symbol
 * @returns {Price | null}
 */
export function priceOf(store, symbol) {
  const table = store.table(symbol)
  const price = table?.lastClose ?? null
  if (!table || price === null) return null
  return { price, at: table.lastTime + table.minutes * 60 }
}

/**
 * The newest price of a contract: that of its chart unless the ladder's is newer. When either became
 * known says nothing of its age: a delayed account's prices are old when they come.
 * @param {LadderSide} side
 * @param {Price | null} candle
 * @returns {{price: number | null, at: number | null}}
 */
export function newestPrice(side, candle) {
  const { price, price_ended_at: at = null } = side
  if (candle && (price === null || at === null || candle.at >= at)) return candle
  return { price, at }
}

/**
 * Until when the prices on show could change: now, or the close of the session they are of.
 * @param {Store} store
 * @param {number} now market time; NaN when unknown
 */
export function tradedUntil(store, now) {
  const newest = store.table(store.answer?.symbols.index ?? null)?.lastTime ?? -Infinity
  const close = newest === -Infinity ? null : store.hours.closeOf(newest)
  return Math.min(now, close ?? now)
}
