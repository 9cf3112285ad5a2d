/** @import { ApiError } from "./data/api.js" */
/** @import { Connection } from "./data/live.js" */
/** @import { HistoryAnswer } from "./data/types.js" */
import { followAtm, nearestStrike } from "./data/atm.js"
import { readChoice } from "./lib/choice.js"
import { Clock } from "./data/clock.js"
import { noticeFor } from "./panels/condition.js"
import { createSelect, createSwitch, strikeOptions } from "./panels/controls.js"
import { Desk } from "./charts/desk.js"
import { byId, setText } from "./lib/dom.js"
import * as format from "./lib/format.js"
import { firstHistory } from "./data/first.js"
import { eachFrame } from "./lib/frame.js"
import { expose } from "./panels/inspect.js"
import { createLadder } from "./panels/ladder.js"
import { Live } from "./data/live.js"
import { readLocation, writeLocation } from "./lib/location.js"
import { Market } from "./data/market.js"
import { showBanner, showNotice } from "./panels/notice.js"
import { linkPages } from "./panels/pages.js"
import { createSignalList } from "./panels/signals.js"
import { showSimulated } from "./panels/simulated.js"
import { createSpot } from "./panels/spot.js"
import { createStatusBar } from "./panels/status.js"
import { parseOption } from "./data/symbols.js"
import { createView } from "./panels/view.js"

/** How long spot must stay nearer to another strike before the charts change, in milliseconds. */
const ATM_PATIENCE_MS = 1000

const query = readLocation()
const choice = readChoice()
/** @type {{state: Connection, message: string, error?: ApiError}} what the stream last said */
let heard = { state: "loading", message: "" }
/** @type {number | null} the strike on the charts while it follows ATM */
let atm = null

const market = new Market()
const desk = new Desk(market)
const clock = new Clock()
const bar = createStatusBar(clock)
const spot = createSpot()
const frame = eachFrame(draw)
const view = createView(query, desk, {
  changed: frame,
  filtered() {
    list.reset()
    frame()
  },
  unfolded: () => ladder.refresh(),
})
const ladder = createLadder({
  query: () => ({ underlying: choice.underlying, expiry: market.answer?.expiry }),
  pick: pickStrike,
})
const list = createSignalList({
  go: (signal) => desk.showTime(signal.event_time - 1),
  open: (signal) => pickStrike(parseOption(signal.symbol)?.strike ?? null),
})
const follower = followAtm(ATM_PATIENCE_MS, (strike) => {
  atm = strike
  void live.swap(strike)
})
const underlyings = createSwitch("underlyings", pickUnderlying)
const expiries = createSelect("expiry", (value) => {
  Object.assign(choice, { expiry: value || null, strike: null })
  atm = null
  writeLocation({ expiry: value, strike: null })
  ladder.restart()
  void live.swap()
})
const strikes = createSelect("strike", (value) => pickStrike(value ? Number(value) : null))

const live = new Live(market, firstHistory, {
  query: () => choice,
  loaded,
  changed(kind) {
    bar.touch()
    if (kind === "build_up") ladder.refresh()
    frame()
  },
  signal: () => frame(),
  status(status) {
    bar.take(status)
    if (status.simulated !== undefined) showSimulated(status.simulated)
    frame()
  },
  connection,
})

/** @param {HistoryAnswer} answer */
function loaded(answer) {
  showSimulated(answer.simulated)
  bar.take({ now: answer.now, clock: answer.clock, ...answer.status })
  if (choice.strike === null) atm = parseOption(answer.symbols.call)?.strike ?? null
  desk.redraw()
  list.reset()
  ladder.refresh()
  frame()
}

/** @param {number | null} strike null follows ATM */
function pickStrike(strike) {
  choice.strike = strike
  atm = null
  writeLocation({ strike })
  follower.cancel()
  void live.swap()
}

/** @param {string} underlying */
function pickUnderlying(underlying) {
  Object.assign(choice, { underlying, expiry: null, strike: null })
  atm = null
  writeLocation({ underlying, expiry: null, strike: null })
  linkPages(underlying)
  follower.cancel()
  bar.forget()
  ladder.restart()
  desk.forgetRange()
  void live.start()
}

/**
 * @param {Connection} state
 * @param {string} message
 * @param {ApiError} [error]
 */
function connection(state, message, error) {
  bar.connection(state, message)
  heard = { state, message, error }
  frame()
}

/** Say what the charts alone cannot. */
function describeState() {
  const closed = bar.status().market === "closed"
  showNotice(noticeFor(
    {
      ...heard, closed, empty: market.isEmpty, underlying: choice.underlying,
      chosen: choice.strike !== null || choice.expiry !== null,
    },
    () => void live.start(),
    () => pickUnderlying(choice.underlying),
  ))
  const databaseOut = bar.status().database === "down"
  const broken = heard.state === "reconnecting" || (heard.state !== "live" && live.attempts > 0)
  const trouble = broken ? heard.message : databaseOut ? "The database does not answer." : ""
  showBanner(trouble && !market.isEmpty ? `${trouble} The charts show what arrived before.` : "")
  const session = market.answer?.session
  setText(byId("session-note"), closed && session ? `Showing ${format.sessionText(session)}` : "")
}

function draw() {
  const { answer } = market
  bar.write()
  describeState()
  if (!answer) return
  desk.draw()
  view.show()
  const { spot: price } = market
  const current = price === null ? answer.atm_strike : nearestStrike(price, answer.strikes)
  if (choice.strike === null && answer.underlying === choice.underlying)
    follower.check(price, answer.strikes, atm)
  spot.show(market, current ?? answer.atm_strike)
  underlyings.show(choice.underlying)
  const listed = answer.expiries ?? (answer.expiry ? [answer.expiry] : [])
  expiries.show(
    listed.map((value) => ({ value, text: format.dateText(value) })), answer.expiry ?? "")
  const automatic = current === null ? "Auto (ATM)" : `Auto (ATM ${format.count(current)})`
  strikes.show(
    strikeOptions(answer.strikes, current, choice.strike, automatic),
    choice.strike === null ? "" : String(choice.strike))
  desk.title(current)
  list.show(market.signalList(), [market.symbol("call"), market.symbol("put")])
}

underlyings.show(choice.underlying)
linkPages(choice.underlying)
writeLocation({ underlying: choice.underlying })
setInterval(() => bar.write(), 250)
expose("live", desk, () => market.signalList().filter((signal) => !signal.withdrawn),
  () => ({
    connection: bar.shown(), message: bar.message(), ...bar.status(), age: bar.age(),
    underlying: choice.underlying, session: market.answer?.session ?? null,
    expiry: market.answer?.expiry ?? null, strike: choice.strike, atm_strike: atm,
    symbols: { ...market.answer?.symbols }, interval: view.interval(),
    stored_minutes: market.storedMinutes, as_of: market.answer?.as_of ?? null,
    last_id: live.stream?.lastId() ?? null,
  }),
  () => ({ market: clock.now(), speed: clock.speed }))
void live.start()

