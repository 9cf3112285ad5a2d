/**
 * A sweep in the list.
 * @typedef {object} ListedSweep
 * @property {number} sweep_id
 * @property {number} started_at UTC seconds
 * @property {string} strategy
 * @property {string} code_version
 * @property {string} first_session
 * @property {string} last_session
 * @property {number} sessions
 * @property {number} sealed sessions left out because they are sealed
 * @property {number} horizon_minutes
 * @property {number} combinations
 * @property {number | null} tried_ever
 * @property {number | null} fit_sessions null where it was not walked forward
 * @property {number | null} judge_sessions
 *
 * What a registered version came to on sealed sessions.
 * @typedef {object} HoldoutVerdict
 * @property {string} strategy
 * @property {string} version
 * @property {string} first_session
 * @property {string} last_session
 * @property {number} look
 * @property {number} entered
 * @property {boolean} better
 * @property {string} verdict
 *
 * @typedef {{sessions: number, first: string | null, last: string | null,
 *   verdicts: HoldoutVerdict[]}} Holdout
 *
 * @typedef {string | number | boolean} Value
 *
 * One combination over all sessions; points of premium after costs.
 * @typedef {object} SweepResult
 * @property {string} version
 * @property {string} params_hash
 * @property {Record<string, Value>} values of the swept numbers
 * @property {number} signals
 * @property {number} entered
 * @property {number} hits
 * @property {number | null} hit_rate
 * @property {number | null} mean_return_points
 * @property {number} total_return_points
 * @property {number | null} sharpe
 * @property {number | null} neighbours
 * @property {number | null} neighbour_mean_points
 *
 * @typedef {object} SweepWindow
 * @property {number} number
 * @property {string} fit_first
 * @property {string} fit_last
 * @property {string} judge_first
 * @property {string} judge_last
 * @property {string | null} params_hash null where nothing was chosen
 * @property {string | null} version
 * @property {number | null} fit_mean_points
 * @property {number} entered
 * @property {number} total_points
 * @property {number} luck_total_points
 *
 * @typedef {object} JudgedSession
 * @property {string} session
 * @property {number} number of its window
 * @property {number} entered
 * @property {number} points
 * @property {number} total_points from the first judged session on
 * @property {number} luck_low
 * @property {number} luck_median
 * @property {number} luck_high
 *
 * @typedef {object} WalkForward
 * @property {number} fit_sessions
 * @property {number} judge_sessions
 * @property {number} entered
 * @property {number} total_points
 * @property {number} luck_total_points
 * @property {number} luck_low_points
 * @property {number} luck_high_points
 * @property {number} luck_chance
 * @property {SweepWindow[]} windows
 * @property {JudgedSession[]} judged
 *
 * @typedef {ListedSweep & {grid: Record<string, Value[]>, warning: string, verdict: string | null,
 *   best_version: string | null, expected_sharpe: number | null, deflated_sharpe: number | null,
 *   reality_p: number | null}} WholeSweep
 *
 * @typedef {{sweep: WholeSweep, results: SweepResult[], walk_forward: WalkForward | null}} SweepAnswer
 */

/** What the heat map is coloured by. */
export const SHOWN = /** @type {const} */ (["mean", "beside", "total", "hits"])

/** @typedef {(typeof SHOWN)[number]} Shown */

/** @type {Record<Shown, (result: SweepResult) => number | null>} */
const MEASURES = {
  mean: (result) => result.mean_return_points,
  beside: (result) => result.neighbour_mean_points,
  total: (result) => (result.entered ? result.total_return_points : null),
  hits: (result) => result.hit_rate,
}

/** @param {SweepResult} result @param {Shown} shown */
export const measured = (result, shown) => MEASURES[shown](result)

/** Values of a number, each once; numbers ascend, words keep their order. @param {Value[]} values */
export function steps(values) {
  const unique = [...new Set(values)]
  return unique.every((value) => typeof value === "number")
    ? unique.sort((a, b) => Number(a) - Number(b)) : unique
}

/** Names of a grid, those with most values first. @param {Record<string, Value[]>} grid */
export const axes = (grid) =>
  Object.keys(grid).sort((a, b) =>
    steps(grid[b]).length - steps(grid[a]).length || a.localeCompare(b))

/**
 * The combinations of a plane: all values of two numbers, the others held fast.
 * @param {SweepResult[]} results
 * @param {Record<string, Value>} fixed
 */
export const inPlane = (results, fixed) =>
  results.filter(({ values }) =>
    Object.entries(fixed).every(([name, value]) => values[name] === value))

/** `wings 2, spike_window 9`. @param {Record<string, Value>} values */
export const valuesText = (values) =>
  Object.entries(values).map(([name, value]) => `${nameText(name)} ${value}`).join(", ")

/** @param {string} name */
export const nameText = (name) => name.replaceAll("_", " ").replaceAll(".", " ")
