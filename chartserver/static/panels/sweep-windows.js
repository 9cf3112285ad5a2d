/** @import { SweepResult, WalkForward } from "../data/sweeps.js" */
import { valuesText } from "../data/sweeps.js"
import { byId, element } from "../lib/dom.js"
import * as format from "../lib/format.js"

const HEAD = ["Chosen on", "Choice", "Mean there", "Judged on", "Trades", "Total", "At random"]

/**
 * What was chosen in each window of a walk-forward, and what it came to.
 * @param {WalkForward | null} walk
 * @param {SweepResult[]} results
 */
export function showWindows(walk, results) {
  byId("window-panel").hidden = !walk
  if (!walk) return
  const head = element("thead")
  const line = element("tr")
  line.append(...HEAD.map((textContent, i) => Object.assign(
    element("th", { textContent, className: i === 2 || i > 3 ? "num" : "" }), { scope: "col" })))
  head.append(line)
  const body = element("tbody")
  body.append(...walk.windows.map((one) => {
    const row = element("tr", { testId: "window-row" })
    const chosen = results.find(({ params_hash: hash }) => hash === one.params_hash)
    row.append(...[
      range(one.fit_first, one.fit_last),
      chosen ? valuesText(chosen.values) : "none was entered there",
      format.signedPrice(one.fit_mean_points),
      range(one.judge_first, one.judge_last),
      format.count(one.entered),
      format.signedPrice(one.total_points),
      format.signedPrice(one.luck_total_points),
    ].map((textContent, i) => element("td", { textContent, className: i === 2 || i > 3 ? "num" : "" })))
    return row
  }))
  byId("windows").replaceChildren(head, body)
}

/** @param {string} first @param {string} last */
const range = (first, last) =>
  (first === last ? format.dateText(first) : `${format.dateText(first)} to ${format.dateText(last)}`)
