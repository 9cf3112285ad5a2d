/** @import { HistoryAnswer } from "./types.js" */
import { getHistory } from "./api.js"
import { askedOf, readChoice } from "./choice.js"

/**
 * The first history, asked for by the page's head, or at the latest while the chart library is still being read: the page names this
 * module ahead of the others.
 * @type {Promise<HistoryAnswer>}
 */
export const firstHistory = getHistory(askedOf(readChoice()))
// Whoever uses it handles the failure.
firstHistory.catch(() => {})
