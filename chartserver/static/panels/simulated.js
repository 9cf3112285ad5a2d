import { byId } from "../lib/dom.js"

const title = document.title

/**
 * Say on the page and in the tab whether the data is simulated.
 * @param {boolean} simulated
 */
export function showSimulated(simulated) {
  byId("simulated").hidden = !simulated
  document.body.classList.toggle("is-simulated", simulated)
  document.title = simulated ? `SIMULATED \u00b7 ${title}` : title
}
