/** @import { Rejection } from "../data/types.js" */
import { byId, element, setText } from "../lib/dom.js"
import * as format from "../lib/format.js"
import { replayLink } from "./moment.js"
import { describeValues } from "./reasons.js"
import { strategyLetter, strategyTitle } from "../data/strategies.js"
import { shortName } from "../data/symbols.js"

const REASONS = /** @type {Record<string, string>} */ ({
  against_net_delta: "Covering against the net delta volume",
  missing_rows: "Rows are missing",
  no_reference: "No price places ATM",
  daily_loss_limit: "Daily loss limit reached",
  target_below_entry: "Target is not above the entry",
})

/**
 * The table of candidates that gave no signal, newest first.
 * @param {Rejection[]} rejections
 * @param {number} total how many are stored
 */
export function showRejections(rejections, total) {
  byId("rejected-rows").replaceChildren(...rejections.map(row))
  const note = byId("rejected-note")
  note.hidden = total <= rejections.length
  setText(note, `The newest ${format.count(rejections.length)} of ${format.count(total)}.`)
}

/** @param {Rejection} rejection */
function row(rejection) {
  const line = element("tr", { testId: "rejected-row" })
  line.dataset.reason = rejection.reason
  const by = element("span", { className: "by" })
  by.append(
    element("i", { className: "letter", textContent: strategyLetter(rejection.strategy) }),
    strategyTitle(rejection))
  const { event_time: time, known_at: known, symbol, underlying } = rejection
  const details = element("td")
  details.append(describeValues(rejection.details))
  const strategy = element("td")
  strategy.append(by)
  const replay = element("td", { className: "num" })
  replay.append(replayLink(underlying, symbol, known ?? time))
  line.append(
    element("td", {
      className: "num strong", textContent: `${format.dayMonth(time)} ${format.minute(time)}`,
    }),
    strategy,
    element("td", {
      textContent: REASONS[rejection.reason] ?? rejection.reason.replaceAll("_", " "),
    }),
    element("td", { className: "strong", textContent: symbol ? shortName(symbol) : "\u2013" }),
    details, replay)
  return line
}
