/** @import { Holdout, SweepAnswer, WalkForward, WholeSweep } from "../data/sweeps.js" */
import { drawWalkEquity } from "./walk-equity.js"
import { horizonText } from "../data/horizons.js"
import { strategyName } from "../data/strategies.js"
import { byId, element } from "../lib/dom.js"
import * as format from "../lib/format.js"

/** Below it a best combination is more than luck. */
const SURE = 0.05

/**
 * How much of a sweep is luck, its walk-forward, and what sealed sessions said.
 * @param {SweepAnswer} answer
 * @param {Holdout} holdout
 */
export function showCards({ sweep, walk_forward: walk }, holdout) {
  byId("sweep-cards").replaceChildren(
    luckCard(sweep), walkCard(sweep, walk), holdoutCard(sweep, holdout))
}

/** @param {WholeSweep} sweep */
function luckCard(sweep) {
  const box = card("How much of it is luck", "luck-card")
  box.append(facts([
    ["Strategy", `${strategyName(sweep.strategy)} ${sweep.code_version}, outcomes ${horizonText(sweep.horizon_minutes)}`],
    ["Sessions", `${format.count(sweep.sessions)}, ${format.dateText(sweep.first_session)} to ` +
      format.dateText(sweep.last_session) + (sweep.sealed ? `; ${sweep.sealed} sealed ones left out` : "")],
    ["Combinations", format.count(sweep.combinations)],
    ["Ever tried", sweep.tried_ever === null ? "not counted then"
      : `${format.count(sweep.tried_ever)} versions and horizons of the strategy`],
    ["Deflated Sharpe", sweep.deflated_sharpe === null ? "cannot be told"
      : `true ratio above 0 with ${share(sweep.deflated_sharpe)}`],
    ["Reality check", sweep.reality_p === null ? "cannot be told"
      : `luck gives a best as good with ${share(sweep.reality_p)}`],
  ]))
  const sure = (sweep.deflated_sharpe ?? 0) >= 1 - SURE && (sweep.reality_p ?? 1) <= SURE
  box.append(verdict(sweep.verdict ?? sweep.warning, sure ? "more" : "same", "sweep-verdict"))
  if (sweep.verdict) box.append(element("p", { className: "note", textContent: sweep.warning }))
  return box
}

/** @param {WholeSweep} sweep @param {WalkForward | null} walk */
function walkCard(sweep, walk) {
  const box = card("Walk-forward", "walk-card")
  if (!walk?.judged.length) {
    box.append(element("p", {
      className: "nothing",
      textContent: "This sweep was not walked forward. Add to its command: --walk-forward " +
        `${Math.max(1, Math.floor(sweep.sessions / 2))},${Math.max(1, Math.floor(sweep.sessions / 10))}`,
    }))
    return box
  }
  box.append(drawWalkEquity(walk))
  const { luck_chance: chance } = walk
  box.append(verdict(
    `Choosing on ${walk.fit_sessions} sessions for the next ${walk.judge_sessions} came to ` +
    `${format.signedPrice(walk.total_points)} points in ${format.count(walk.entered)} trades; at random ` +
    `${format.signedPrice(walk.luck_total_points)} on average, ` +
    `${format.signedPrice(walk.luck_low_points)} to ${format.signedPrice(walk.luck_high_points)}, and ` +
    `at least as much in ${share(chance)}.`, chance <= SURE / 2 ? "more" : "same", "walk-verdict"))
  return box
}

/** @param {WholeSweep} sweep @param {Holdout} holdout */
function holdoutCard(sweep, holdout) {
  const box = card("Sealed sessions", "holdout-card")
  box.append(element("p", {
    className: holdout.sessions ? "" : "nothing",
    textContent: holdout.sessions
      ? `${format.count(holdout.sessions)} sessions are sealed, ` +
        `${format.dateText(holdout.first ?? "")} to ${format.dateText(holdout.last ?? "")}: no sweep ` +
        "sees them, and a version is judged there once, after optionscalp holdout open."
      : "No session is sealed, so that nothing is left to judge a choice by. To keep some apart " +
        "before they are swept: optionscalp holdout add --from DATE --to DATE",
  }))
  for (const one of holdout.verdicts.filter(({ strategy }) => strategy === sweep.strategy).slice(0, 3))
    box.append(
      element("p", {
        className: "note",
        textContent: `Version ${one.version}, ${format.dateText(one.first_session)} to ` +
          `${format.dateText(one.last_session)}, ${format.count(one.entered)} trades:`,
      }),
      verdict(one.verdict, one.better ? "more" : "same", "holdout-verdict"))
  return box
}

/** @param {string} title @param {string} testId */
function card(title, testId) {
  const box = element("article", { className: "panel card", testId })
  box.append(element("h2", { textContent: title }))
  return box
}

/** @param {[string, string][]} rows */
function facts(rows) {
  const list = element("dl", { className: "sweep-facts" })
  for (const [name, value] of rows)
    list.append(element("dt", { textContent: name }), element("dd", { textContent: value }))
  return list
}

/** @param {string} text @param {string} tone @param {string} testId */
function verdict(text, tone, testId) {
  const line = element("p", { className: "verdict", textContent: text, testId })
  line.dataset.verdict = tone
  return line
}

/** @param {number} value */
const share = (value) => `${(value * 100).toFixed(value < 0.01 ? 1 : 0)} %`
