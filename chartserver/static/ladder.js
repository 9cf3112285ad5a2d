import { getJson } from "./api.js"
import { labelOf } from "./buildups.js"
import { byId, element, setText } from "./dom.js"
import * as format from "./format.js"
import { throttled } from "./frame.js"

/**
 * @typedef {object} LadderSide
 * @property {number | null} price last premium
 * @property {number | null} oi units
 * @property {number | null} oi_change units since the previous session's close
 * @property {string | null} label
 *
 * @typedef {object} LadderRow
 * @property {number} strike
 * @property {LadderSide} call
 * @property {LadderSide} put
 *
 * @typedef {object} LadderAnswer
 * @property {LadderRow[]} rows
 * @property {number | null} atm_strike
 * @property {number | null} at
 */

/** Market data changes every five minutes; faster simulated ones need not be followed closer. */
const PAUSE_MS = 2000

/**
 * The strike ladder: open interest of calls and puts around the money.
 * @param {object} hooks
 * @param {() => Record<string, string | number | null | undefined>} hooks.query
 * @param {(strike: number) => void} hooks.pick
 */
export function createLadder(hooks) {
  const body = byId("ladder-rows")
  /** @type {AbortController | null} */
  let request = null
  let centred = false

  async function load() {
    if (byId("ladder").hidden) return
    request?.abort()
    const mine = new AbortController()
    request = mine
    try {
      show(readAnswer(await getJson("/api/chain", hooks.query(), mine.signal)))
    } catch (error) {
      if (mine.signal.aborted) return
      body.replaceChildren()
      note(error instanceof Error ? error.message : String(error))
    }
  }

  /** @param {string} text */
  function note(text) {
    setText(byId("ladder-note"), text)
    byId("ladder-note").hidden = text === ""
  }

  /** @param {LadderAnswer} answer */
  function show({ rows, atm_strike, at }) {
    note(rows.length ? "" : "No open interest stored yet.")
    const most = Math.max(1, ...rows.flatMap(({ call, put }) => [call.oi ?? 0, put.oi ?? 0]))
    const top = body.parentElement?.parentElement?.scrollTop ?? 0
    body.replaceChildren(...rows.map((row) => line(row, most, atm_strike)))
    const calls = rows.reduce((sum, { call }) => sum + (call.oi ?? 0), 0)
    const puts = rows.reduce((sum, { put }) => sum + (put.oi ?? 0), 0)
    setText(byId("pcr"), calls ? `PCR ${(puts / calls).toFixed(2)}` : "")
    setText(byId("ladder-time"), at ? `${format.minute(at)} IST` : "")
    if (rows.length && !centred) centred = centre(body)
    else if (body.parentElement?.parentElement) body.parentElement.parentElement.scrollTop = top
  }

  /** @param {LadderRow} row @param {number} most @param {number | null} atm */
  function line({ strike, call, put }, most, atm) {
    const made = element("tr", { testId: "ladder-row" })
    made.dataset.strike = String(strike)
    made.classList.toggle("atm", strike === atm)
    const button = element("button", { className: "link", textContent: format.count(strike) })
    button.title = `Show the call and put of ${format.count(strike)}`
    button.onclick = () => hooks.pick(strike)
    const middle = element("td", { className: "strike" })
    middle.append(button)
    made.append(
      badge(call.label), change(call.oi_change), bar(call.oi, most, "call"), premium(call.price),
      middle, premium(put.price), bar(put.oi, most, "put"), change(put.oi_change), badge(put.label))
    return made
  }

  const refresh = throttled(load, PAUSE_MS)
  return {
    refresh,
    /** Another underlying or expiry: centre on the money again. */
    restart() {
      centred = false
      refresh()
    },
  }
}

/**
 * @param {any} answer
 * @returns {LadderAnswer}
 */
function readAnswer(answer) {
  return { rows: answer.rows ?? [], atm_strike: answer.atm_strike ?? null, at: answer.at ?? null }
}

/** Bring the money into the middle. @param {HTMLElement} body */
function centre(body) {
  const box = body.parentElement?.parentElement
  const atm = /** @type {HTMLElement | null} */ (body.querySelector(".atm"))
  if (!box || !atm) return false
  box.scrollTop = atm.offsetTop - box.clientHeight / 2
  return true
}

/** @param {string | null} label */
function badge(label) {
  const made = element("td", { className: "label" })
  if (!label || label === "none") return made
  const { name, short, color } = labelOf(label)
  const chip = element("span", { className: "chip", textContent: short, title: name })
  chip.style.setProperty("--chip", color)
  made.append(chip)
  return made
}

/** @param {number | null} value */
const premium = (value) => element("td", { className: "num", textContent: format.price(value) })

/** @param {number | null} value */
function change(value) {
  const tone = value === null ? "" : value > 0 ? "up" : value < 0 ? "down" : ""
  return element("td", { className: `num ${tone}`, textContent: format.signedCompact(value) })
}

/** @param {number | null} value @param {number} most @param {"call" | "put"} side */
function bar(value, most, side) {
  const className = `num bar bar-${side}`
  const made = element("td", { className, textContent: format.compact(value) })
  made.style.setProperty("--share", `${((value ?? 0) / most) * 100}%`)
  return made
}
