/** @import { PreviousDay } from "./types.js" */
/** @import { Store } from "./store.js" */
import { isoDate } from "../lib/format.js"
import { lowerBound } from "../lib/search.js"

/**
 * The session before the newest one on show, of one symbol: from the candles where they are there,
 * else as the server told it. Null where nothing of it is stored.
 * @param {Store} store
 * @param {string} symbol
 * @returns {PreviousDay | null}
 */
export function previousDay(store, symbol) {
  const table = store.table(symbol)
  const told = store.previous.get(symbol) ?? null
  if (!table?.length) return told
  const open = store.hours.openOf(table.lastTime)
  const end = lowerBound(table.t, open)
  if (end === 0) return told
  const from = lowerBound(table.t, store.hours.openOf(table.t[end - 1]))
  // A candle from before its day's open is of no session.
  if (from === end) return told
  return {
    session: isoDate(table.t[from]),
    open: table.o[from],
    high: table.h.slice(from, end).reduce((a, b) => Math.max(a, b)),
    low: table.l.slice(from, end).reduce((a, b) => Math.min(a, b)),
    close: table.c[end - 1],
  }
}
