/** How long after a signal its outcome is looked at; 0 is the session's end. */
export const HORIZONS = /** @type {const} */ (["15", "5", "30", "0"])

/** `after 15 minutes`, `at the session's end`. @param {number} minutes */
export const horizonText = (minutes) =>
  minutes === 0 ? "at the session\u2019s end" : `after ${minutes} minutes`

/** Which signals are counted. */
export const HISTORIES = /** @type {const} */ (["corrected", "known_then"])
/** How many spreads are paid in a round trip. */
export const FILLS = /** @type {const} */ (["1", "0", "2"])
/** What signals are split by. */
export const SPLITS = /** @type {const} */ (["time", "expiry", "volatility"])

const EXITS = /** @type {Record<string, string>} */ ({
  target1: "Target 1",
  stop: "Stop",
  horizon: "Time",
  session_end: "Session end",
  not_entered: "Not entered",
})

/** @param {string} reason */
export const exitText = (reason) => EXITS[reason] ?? reason.replaceAll("_", " ")

/** Exit reasons to choose from; the last one means that no outcome is stored. */
export const OUTCOMES = /** @type {const} */ (["", ...Object.keys(EXITS), "none"])
