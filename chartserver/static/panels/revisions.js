/** @import { JudgedSignal, Signal } from "../data/types.js" */
import { ApiError, getJson } from "../data/api.js"
import { element } from "../lib/dom.js"
import * as format from "../lib/format.js"
import { describeValues, explainSignal } from "./reasons.js"

/** @param {Signal} signal */
const levels = ({ entry, stop, target1, target2 }) => ({ entry, stop, target1, target2 })

/**
 * What a signal was before corrected inputs changed it, newest first; filled once the server told.
 * @param {JudgedSignal} signal
 */
export function earlierRevisions(signal) {
  const box = element("div", { className: "revisions", testId: "revisions" })
  if (signal.revision > 1) void fill(box, signal)
  return box
}

/** @param {HTMLElement} box @param {JudgedSignal} signal */
async function fill(box, signal) {
  try {
    /** @type {{revisions: (Signal & {revised_at: number})[]}} */
    const { revisions } = await getJson(
      "/api/signals/revisions", { signal_id: signal.signal_id })
    for (const old of revisions.reverse()) {
      const until = `${format.dayMonth(old.revised_at)} ${format.second(old.revised_at)} IST`
      box.append(
        element("h3", { textContent: `Revision ${old.revision}, until ${until}` }),
        describeValues(levels(old), levels(signal)), explainSignal(old, signal))
    }
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    box.textContent = error.message
  }
}
