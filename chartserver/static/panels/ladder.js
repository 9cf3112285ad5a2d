import { getJson } from "../data/api.js"
import { labelOf } from "../data/buildups.js"
import { byId, element, setText } from "../lib/dom.js"
import * as format from "../lib/format.js"
import { throttled } from "../lib/frame.js"

/**
 * @typedef {object} LadderSide
 * @property {number | null} price last premium
 * @property {number | null} oi units
 * @property {number | null} oi_change units since the previous session's close
 * @property {string | null} label
 * @property {number | null} iv per year: 0.14 is 14 %
 * @property {number | null} delta
 * @property {number | null} gamma per point
 * @property {number | null} theta rupees per calendar day
 * @property {number | null} vega rupees per percentage point
 * @property {number | null} greeks_at end of the interval they are of
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
 * @property {number | null} forward
 * @property {"future" | "parity" | null} forward_source
 */

/** Market data changes every five minutes; faster simulated ones need not be followed closer. */
const PAUSE_MS = 2000

const FORWARDS = {
  future: "What the underlying costs at expiry: the future's close",
  parity: "What the underlying costs at expiry, from calls and puts of one strike around the money",
}

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
  function show({ rows, atm_strike, at, forward, forward_source }) {
    note(rows.length ? "" : "No open interest stored yet.")
    const most = Math.max(1, ...rows.flatMap(({ call, put }) => [call.oi ?? 0, put.oi ?? 0]))
    const top = body.parentElement?.parentElement?.scrollTop ?? 0
    body.replaceChildren(...rows.map((row) => line(row, most, atm_strike)))
    const calls = rows.reduce((sum, { call }) => sum + (call.oi ?? 0), 0)
    const puts = rows.reduce((sum, { put }) => sum + (put.oi ?? 0), 0)
    setText(byId("pcr"), calls ? `PCR ${(puts / calls).toFixed(2)}` : "")
    setText(byId("forward"), forward === null ? "" : `Forward ${format.price(forward)}`)
    byId("forward").title = FORWARDS[forward_source ?? "parity"]
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
      badge(call.label), change(call.oi_change), bar(call.oi, most, "call"), ...greeks(call),
      premium(call.price), middle, premium(put.price),
      ...greeks(put).reverse(), bar(put.oi, most, "put"), change(put.oi_change), badge(put.label))
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
  return {
    rows: answer.rows ?? [], atm_strike: answer.atm_strike ?? null, at: answer.at ?? null,
    forward: answer.forward ?? null, forward_source: answer.forward_source ?? null,
  }
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

/** Volatility and delta; the rest where the pointer rests. @param {LadderSide} side */
function greeks({ iv, delta, gamma, theta, vega, greeks_at }) {
  const title = greeks_at === null ? "" : [
    `at ${format.minute(greeks_at)} IST`, `gamma ${gamma?.toPrecision(3) ?? "–"}`,
    `theta ${format.price(theta)} a day`, `vega ${format.price(vega)} a point`,
  ].join("\n")
  return [format.volatility(iv), format.delta(delta)].map((textContent) =>
    element("td", { className: "num greek", textContent, title }))
}

/** @param {number | null} value */
function change(value) {
  const className = `num ${format.tone(value)}`
  return element("td", { className, textContent: format.signedCompact(value) })
}

/** @param {number | null} value @param {number} most @param {"call" | "put"} side */
function bar(value, most, side) {
  const className = `num bar bar-${side}`
  const made = element("td", { className, textContent: format.compact(value) })
  made.style.setProperty("--share", `${((value ?? 0) / most) * 100}%`)
  return made
}
