/** How long after a signal its outcome is looked at; 0 is the session's end. */
export const HORIZONS = /** @type {const} */ (["15", "5", "30", "0"])

/** `after 15 minutes`, `at the session's end`. @param {number} minutes */
export const horizonText = (minutes) =>
  minutes === 0 ? "at the session\u2019s end" : `after ${minutes} minutes`

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
