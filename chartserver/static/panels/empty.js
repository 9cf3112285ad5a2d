/** @import { PreviousDay } from "../data/types.js" */
import { parseOption } from "../data/symbols.js"
import * as format from "../lib/format.js"

/**
 * Why a chart of the live page has no candle.
 * @param {string | null} symbol null where no contract is on the chart
 * @param {PreviousDay | null} previous its last session before the one on show
 */
export function emptyText(symbol, previous) {
  if (symbol === null) return "There is no contract to show here."
  const none = previous
    ? `No candles in this session; the last ones are of ${format.sessionText(previous.session)}.`
    : "No candles stored for this instrument yet."
  return parseOption(symbol)
    ? `${none} Candles are fetched of strikes near the money alone (CANDLE_WINGS).` : none
}
