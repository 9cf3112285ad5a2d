/** @import { HistoryAnswer } from "./data/types.js" */
import { ApiError, getReplay } from "./data/api.js"
import { nearestStrike } from "./data/atm.js"
import { createSelect, createSwitch, strikeOptions } from "./panels/controls.js"
import { Desk } from "./charts/desk.js"
import { byId, setText } from "./lib/dom.js"
import * as format from "./lib/format.js"
import { eachFrame, throttled } from "./lib/frame.js"
import { expose } from "./panels/inspect.js"
import { createLadder } from "./panels/ladder.js"
import { positive, readLocation, writeLocation } from "./lib/location.js"
import { Market } from "./data/market.js"
import { showBanner, showNotice } from "./panels/notice.js"
import { linkPages } from "./panels/pages.js"
import { Player } from "./panels/player.js"
import { createSeek } from "./panels/seek.js"
import { createSessionPicker, getSessions } from "./data/sessions.js"
import { createSignalList } from "./panels/signals.js"
import { showSimulated } from "./panels/simulated.js"
import { createSpot } from "./panels/spot.js"
import { parseOption } from "./data/symbols.js"
import { Tape, withStrike } from "./data/tape.js"
import { Timeline } from "./data/timeline.js"
import { createTransport } from "./panels/transport.js"
import { createView } from "./panels/view.js"

const query = readLocation()
const choice = {
  underlying: query.get("underlying")?.toUpperCase() || "NIFTY",
  from: query.get("from") ?? "",
  to: query.get("to") ?? "",
  /** null takes the strike at the money when the range begins. */
  strike: positive(query, "strike"),
}
const market = new Market()
const desk = new Desk(market)
const spot = createSpot()
const frame = eachFrame(draw)
const view = createView(query, desk, {
  changed: frame,
  filtered() {
    list.reset()
    markSeek()
    frame()
  },
  unfolded: () => ladder.refresh(),
})
/** @type {HistoryAnswer | null} */
let answer = null
/** @type {Tape | null} */
let tape = null
let state = "loading"
let message = ""
const hooks = { moved, changed: () => transport.show(tape !== null) }
let player = new Player(
  new Timeline(emptyAnswer()), NaN, positive(query, "speed") ?? 60, hooks)

const ladder = createLadder({
  query: () => ({
    underlying: choice.underlying, expiry: answer?.expiry, at: Math.floor(player.time) || null,
  }),
  pick: pickStrike,
})
const list = createSignalList({
  go: (signal) => desk.showTime(signal.event_time - 1),
  open: (signal) => pickStrike(parseOption(signal.symbol)?.strike ?? null),
})
const transport = createTransport(() => player)
const seek = createSeek((time) => player.seek(time))
const picker = createSessionPicker((from, to) => {
  Object.assign(choice, { from, to })
  writeLocation({ from, to, t: null })
  void load(null)
})
const underlyings = createSwitch("underlyings", (underlying) => {
  Object.assign(choice, { underlying, strike: null })
  writeLocation({ underlying, strike: null })
  void open()
})
const strikes = createSelect("strike", (value) => pickStrike(value ? Number(value) : null))
// Browsers limit how often a page may rewrite its URL.
const rememberTime = throttled(
  () => tape && writeLocation({ t: format.isoMoment(player.time) }), 1000)

/** @returns {HistoryAnswer} */
function emptyAnswer() {
  return {
    underlying: "", expiry: null, strikes: [], atm_strike: null, spot: null, interval: "1m",
    simulated: false, symbols: { index: null, call: null, put: null }, candles: {}, build_ups: {},
    signals: [],
  }
}

/** @param {number | null} strike */
function pickStrike(strike) {
  choice.strike = strike
  writeLocation({ strike })
  const chosen = answer && withStrike(answer, strike)
  if (chosen) take(chosen, player.time, true)
  else void load(player.time)
}

/** Learn which sessions are stored, then load the chosen range or the newest session. */
async function open() {
  underlyings.show(choice.underlying)
  linkPages(choice.underlying)
  try {
    const sessions = await getSessions(choice.underlying)
    const newest = sessions[0]?.session ?? ""
    choice.from ||= choice.to || newest
    choice.to ||= choice.from
    picker.show(sessions, choice.from, choice.to)
    if (!choice.from) return report("empty", `No session of ${choice.underlying} is stored yet.`)
    await load(format.parseMoment(readLocation().get("t")))
  } catch (error) {
    failed(error)
  }
}

let turn = 0

/** Read a range. @param {number | null} time where to stand; null for its end */
async function load(time) {
  const mine = ++turn
  player.stop()
  report("loading", "Reading the range\u2026")
  try {
    const next = await getReplay(choice)
    if (mine === turn) take(next, time)
  } catch (error) {
    if (mine === turn) failed(error)
  }
}

/**
 * @param {HistoryAnswer} next
 * @param {number | null} time
 * @param {boolean} [same] only other contracts of the range on show
 */
function take(next, time, same = false) {
  answer = next
  tape = new Tape(next, market)
  if (same) {
    report("ready", "")
    return player.seek(player.time)
  }
  const timeline = new Timeline(next)
  player = new Player(timeline, NaN, player.speed, hooks)
  showSimulated(next.simulated)
  markSeek()
  list.reset()
  desk.forgetRange()
  writeLocation({ underlying: choice.underlying, from: choice.from, to: choice.to })
  if (!timeline.length)
    return report("empty", "Nothing is stored in this range. Choose another session above.")
  report("ready", "")
  const { late } = timeline
  showBanner(late ? `${late} rows became known long after the session and are left out.` : "")
  player.seek(time === null || Number.isNaN(time) ? timeline.end : time)
  ladder.restart()
  requestAnimationFrame(() => time === null && desk.showWhole())
}

/** Mark sessions and signals on the slider. */
function markSeek() {
  const shown = answer?.signals.filter((signal) => market.shows(signal)) ?? []
  seek.load(player.timeline, shown)
}

/** @param {unknown} error */
function failed(error) {
  if (!(error instanceof ApiError)) console.error(error)
  report("error", error instanceof Error ? error.message : String(error))
}

/** @param {string} next @param {string} text */
function report(next, text) {
  state = next
  message = text
  const titles = {
    loading: "Loading", empty: "Nothing to replay", error: "The replay cannot start",
  }
  const again = choice.strike === null ? { label: "Try again", run: () => void open() }
    : { label: "Show the strike at the money", run: () => pickStrike(null) }
  const action = next === "error" ? again : undefined
  const title = titles[/** @type {keyof titles} */ (next)]
  const kind = /** @type {"loading" | "empty" | "error"} */ (next)
  showNotice(next === "ready" ? null : { kind, title, text, action })
  if (next === "empty" || next === "error") {
    market.load({ ...emptyAnswer(), ...(next === "empty" && answer) }, false)
    tape = null
    desk.redraw()
  }
  hooks.changed()
  frame()
}

/** @param {number} time @param {boolean} jumped */
function moved(time, jumped) {
  if (!tape) return
  if (jumped) {
    tape.seek(time)
    list.reset()
    desk.redraw()
  } else tape.advance(time)
  seek.show(time)
  rememberTime()
  ladder.refresh()
  frame()
}

function draw() {
  const ready = tape !== null
  setText(byId("market-clock"), ready ? format.second(player.time) : "--:--:--")
  setText(byId("market-day"), ready ? format.longDay(player.time) : "")
  desk.draw()
  view.show()
  const atm = market.spot === null ? null : nearestStrike(market.spot, answer?.strikes ?? [])
  spot.show(market, atm ?? answer?.atm_strike ?? null)
  desk.title(atm)
  strikes.show(
    strikeOptions(answer?.strikes ?? [], atm, choice.strike, "ATM at the open"),
    choice.strike === null ? "" : String(choice.strike))
  list.show(market.signalList(), [market.symbol("call"), market.symbol("put")])
}

expose("replay", desk, () => market.signalList().filter((signal) => !signal.withdrawn),
  () => ({
    connection: state, message, simulated: answer?.simulated ?? null,
    underlying: choice.underlying, from: choice.from, to: choice.to, strike: choice.strike,
    atm_strike: answer?.atm_strike ?? null, symbols: { ...answer?.symbols },
    interval: view.interval(), stored_minutes: market.storedMinutes,
  }),
  () => ({
    market: player.time, speed: player.speed, playing: player.playing,
    start: player.timeline.start, end: player.timeline.end,
  }))
void open()
