/** @import { ApiError } from "./data/api.js" */
/** @import { Connection } from "./data/live.js" */
/** @import { Rule } from "./data/rules.js" */
/** @import { HistoryAnswer } from "./data/types.js" */
import { Desk } from "./charts/desk.js"
import { askedOf, complaints, given, readChoice } from "./data/choice.js"
import { Clock } from "./data/clock.js"
import { Contracts } from "./data/contracts.js"
import { Live } from "./data/live.js"
import { previousDay } from "./data/previous.js"
import { priceOf, tradedUntil } from "./data/prices.js"
import { ruleText, unmetText } from "./data/rules.js"
import { Store } from "./data/store.js"
import { parseOption } from "./data/symbols.js"
import { ROLES, View } from "./data/view.js"
import { byId, setText } from "./lib/dom.js"
import * as format from "./lib/format.js"
import { eachFrame } from "./lib/frame.js"
import { attempt, failureText } from "./lib/guard.js"
import { registerKeys } from "./lib/keys.js"
import { readLocation, writeLocation } from "./lib/location.js"
import { complaintText } from "./lib/parameters.js"
import { getSetting, setSetting } from "./lib/settings.js"
import { noticeFor } from "./panels/condition.js"
import { createAppearance } from "./panels/appearance.js"
import { createSelect, createSwitch } from "./panels/controls.js"
import { emptyText } from "./panels/empty.js"
import { createHelp } from "./panels/help.js"
import { expose } from "./charts/inspect.js"
import { createLadder } from "./panels/ladder.js"
import { showLossLimit } from "./panels/loss-limit.js"
import { showBanner, showNotice } from "./panels/notice.js"
import { carriedFrom, linkPages } from "./panels/pages.js"
import { createSignalList } from "./panels/signals.js"
import { showSimulated } from "./panels/simulated.js"
import { createSpot } from "./panels/spot.js"
import { createStatusBar } from "./panels/status.js"
import { createStrategyKey } from "./panels/strategy-key.js"
import { createStrikes } from "./panels/strikes.js"
import { createViewControls } from "./panels/view.js"

/** How long spot must stay nearer to another strike before the charts follow. */
const ATM_PATIENCE_SECONDS = 3

const choice = readChoice()
/** @type {{state: Connection, message: string, error?: ApiError}} what the stream last said */
let heard = { state: "loading", message: "" }
/** Which underlying and expiry the charts were last filled for. */
let filled = ""

const store = new Store()
const view = new View()
const desk = new Desk(store, view, showReturn)
const clock = new Clock()
const bar = createStatusBar(clock, () => choice.underlying)
const spot = createSpot()
const frame = eachFrame(draw)
/** @type {Contracts} */
const contracts = new Contracts(store, view, {
  live: () => live,
  patience: () => 1000 * (given.patience ?? getSetting("patience") ?? ATM_PATIENCE_SECONDS),
  moved: (strike) => strikes.moved(strike, format.second(clock.now())),
  changed: frame,
})
Object.assign(contracts, { rules: { call: choice.call, put: choice.put }, future: choice.future })

const controls = createViewControls(given, view, { changed: frame, filtered, unfolded: frame })

const ladder = createLadder({
  pick: (strike, side) =>
    pickRules(side ? { ...contracts.rules, [side]: fixed(strike)[side] } : fixed(strike)),
})
const strategyKey = createStrategyKey()
const list = createSignalList({
  go: (signal) => desk.range.showTime(signal.event_time - 1),
  open: (signal) => {
    const option = parseOption(signal.symbol)
    if (option) pickRules(fixed(option.strike))
  },
}, clock)
const underlyings = createSwitch("underlyings", pickUnderlying)
const instruments = createSwitch("instrument", (value) => {
  contracts.future = value === "future"
  setSetting("instrument", contracts.future ? "future" : "index")
  writeLocation({ instrument: contracts.future ? value : null })
  frame()
})
const expiries = createSelect("expiry", (value) => {
  choice.expiry = value || null
  pickRules({ call: loose(contracts.rules.call), put: loose(contracts.rules.put) })
  writeLocation({ expiry: value })
  store.clearLadder()
  void live.start()
})
const strikes = createStrikes(contracts, pickRules, (frozen) => {
  contracts.hold(frozen ? contracts.shown() : null)
  const { call, put } = contracts.shown()
  writeLocation({ frozen: frozen && call && put ? `${call},${put}` : null })
  frame()
}, () => ({ strikes: store.answer?.strikes ?? [], ...contracts.shown() }))

/** @type {Live} */
const live = new Live(store, {
  // What is on show is asked for again, so that it is there at once.
  query: () => ({ ...askedOf(choice), ...(filled === place() ? contracts.shown() : {}) }),
  loaded,
  changed(touched) {
    const index = store.answer?.symbols.index ?? ""
    const price = touched.has(index) ? priceOf(store, index) : null
    if (price) bar.touch(price.at)
    frame()
  },
  status(status) {
    bar.take(status)
    if (status.simulated !== undefined) showSimulated(status.simulated)
    frame()
  },
  connection,
})

/** The underlying and expiry that are chosen, as text. */
const place = () => `${choice.underlying} ${choice.expiry}`

/** @param {number} strike @returns {{call: Rule, put: Rule}} */
function fixed(strike) {
  return { call: { kind: "fixed", strike }, put: { kind: "fixed", strike } }
}

/** A fixed strike means nothing for another expiry. @param {Rule} rule @returns {Rule} */
const loose = (rule) => (rule.kind === "fixed" ? { kind: "atm", offset: 0 } : rule)

/** @param {HistoryAnswer} answer */
function loaded(answer) {
  showSimulated(answer.simulated)
  bar.take({ now: answer.now, clock: answer.clock, ...answer.status })
  const other = filled !== place()
  filled = place()
  // An expiry that was not named may have become another one.
  const roll = parseOption(view.contracts.call)?.expiry !== answer.expiry
  contracts.loaded(other || roll)
  desk.redraw()
  list.reset()
  if (other) desk.range.goLive()
  // At once: charts that were just made are painted with the next frame, with their candles.
  draw()
}

function filtered() {
  list.reset()
  frame()
}

/** @param {{call: Rule, put: Rule}} rules */
function pickRules(rules) {
  contracts.choose(rules)
  Object.assign(choice, rules)
  writeRules()
  for (const side of /** @type {const} */ (["call", "put"]))
    setSetting(side, rules[side].kind === "fixed" ? null : ruleText(rules[side]))
  contracts.settle()
  frame()
}

/** Keep the rules in the address. @param {Record<string, string | null>} [more] */
function writeRules(more = {}) {
  const [call, put] = [ruleText(contracts.rules.call), ruleText(contracts.rules.put)]
  const same = call === put
  writeLocation({
    ...more, strike: same && call !== "atm" ? call : null, call: same ? null : call,
    put: same ? null : put, frozen: null,
  })
}

/** @param {string} underlying */
function pickUnderlying(underlying) {
  Object.assign(choice, { underlying, expiry: null })
  contracts.choose({ call: loose(contracts.rules.call), put: loose(contracts.rules.put) })
  Object.assign(choice, contracts.rules)
  writeRules({ underlying, expiry: null })
  setSetting("underlying", /** @type {"NIFTY" | "BANKNIFTY"} */ (underlying))
  contracts.calm.place(null)
  bar.forget()
  store.clearLadder()
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
    { ...heard, closed, empty: store.isEmpty, underlying: choice.underlying, chosen: false },
    () => void live.start(),
    () => pickUnderlying(choice.underlying),
  ))
  const databaseOut = bar.status().database === "down"
  const broken = heard.state === "reconnecting" || (heard.state !== "live" && live.pause.attempts > 0)
  const wrong = complaintText(complaints)
  const old = !store.isEmpty && (broken ? heard.message !== "" : databaseOut)
  const trouble = broken ? (store.isEmpty ? "" : heard.message) : problemText()
  const shown = old ? `${trouble} The charts show what arrived before.` : trouble
  const unmet = contracts.frozen ? ""
    : unmetText(contracts.rules, contracts.atm, store.answer?.strikes ?? [])
  const parts = [failureText(failed), shown, wrong, ...missingTexts(), unmet, heldBackText(), switchedOffText(), feedFaultText()]
  showBanner(parts.filter(Boolean).join(" "))
  const session = store.answer?.session
  setText(byId("session-note"), closed && session ? `Showing ${format.sessionText(session)}` : "")
}

/** Why contracts that were asked for are not on show. */
const missingTexts = () =>
  new Set((store.answer?.missing ?? []).map(({ reason }) => `${reason}.`))

/** What is wrong with the system, and what to do; sources have chips of their own. */
const problemText = () =>
  (bar.status().problems ?? [])
    .filter(({ cause }) => cause !== "source_down")
    .map(({ what, remedy }) => `${what} ${remedy}`)
    .join(" ")

/** Why no signal comes, which is not because there is none. */
function heldBackText() {
  const [first, ...others] = bar.status().held_back ?? []
  if (!first) return ""
  const names = [first, ...others].map(({ check }) => check).join(", ")
  return `Signals are held back since ${format.minute(first.since)} IST, as rows are wrong or unread: ${names}.`
}

/** Which strategies give no signal because something is wrong with them. */
const switchedOffText = () =>
  (bar.status().switched_off ?? [])
    .map(({ strategy, problem }) => `Strategy ${strategy} is switched off: ${problem}.`)
    .join(" ")

/** Which parts of the feed fail again and again, while the others go on. */
const feedFaultText = () =>
  (bar.status().feed_faults ?? [])
    .map(({ task, problem, since }) =>
      `The feed's ${task} failed and is started again, since ${format.minute(since)} IST: ${problem}.`)
    .join(" ")

/** The button that leads back to the newest candle. */
function showReturn() {
  byId("go-live").hidden = desk.range.isHome
}

/** @type {readonly string[]} parts of the page that failed with the last frame */
let failed = []

/** Draw the charts; what is written beside them follows when they are painted. */
function draw() {
  const { answer } = store
  if (!answer) return write()
  failed = attempt({ contracts: () => contracts.follow(), charts: () => desk.draw() })
  requestAnimationFrame(write)
}

function write() {
  const { answer } = store
  const parts = answer ? partsOf(answer) : {}
  failed = [...failed, ...attempt({ header: () => bar.write(), ...parts })]
  describeState()
  failed = []
}

/** @param {HistoryAnswer} answer */
const partsOf = (answer) => ({
  controls() {
    showReturn()
    controls.show(store, desk.storedMinutes)
    underlyings.show(choice.underlying)
    instruments.show(contracts.future ? "future" : "index")
    const listed = answer.expiries ?? (answer.expiry ? [answer.expiry] : [])
    expiries.show(
      listed.map((value) => ({ value, text: format.dateText(value) })), answer.expiry ?? "")
    strikes.show(store)
    linkPages(carriedFrom(readLocation()), answer.session)
  },
  spot: () => spot.show(store, store.atm),
  ladder: () => ladder.show(store.ladder && { ...store.ladder, atm_strike: store.atm }, {
    contracts: view.contracts, market: tradedUntil(store, clock.known ? clock.now() : NaN),
    before: previousDay(store, store.answer?.symbols.index ?? "")?.close ?? null,
    priceOf: (symbol) => priceOf(store, symbol), note: "Reading the strike ladder\u2026",
  }),
  empty() {
    for (const role of ROLES) {
      const symbol = view.contracts[role]
      setText(byId(`empty-${role}`), emptyText(symbol, store.previous.get(symbol ?? "") ?? null))
    }
  },
  signals() {
    showLossLimit(bar.status().loss_limit ?? [], choice.underlying)
    strategyKey.show([...store.signals.values()].map((signal) => signal.strategy))
    list.show(view.signals(store), [view.contracts.call, view.contracts.put])
  },
})

byId("go-live").onclick = () => desk.range.goLive()
registerKeys([{ keys: ["l"], does: "Go to the newest candle", run: () => desk.range.goLive() }])
underlyings.show(choice.underlying)
// What was remembered is said by the address too, so that it can be passed on.
writeRules({ underlying: choice.underlying, instrument: choice.future ? "future" : null })
if (given.frozen) {
  contracts.hold(given.frozen)
  writeLocation({ frozen: `${given.frozen.call},${given.frozen.put}` })
}
setInterval(() => bar.write(), 250)
createHelp()
createAppearance(() => {
  desk.recolour()
  frame()
})
// A page that was put away has left the stream; when it comes back it reads its history again.
addEventListener("pagehide", () => live.leave())
addEventListener("pageshow", (event) => event.persisted && void live.start())
expose("live", { store, view, desk },
  () => ({
    connection: bar.shown(), message: bar.message(), ...bar.status(), age: bar.age(),
    underlying: choice.underlying, session: store.answer?.session ?? null,
    expiry: store.answer?.expiry ?? null, atm_strike: contracts.atm,
    strike: choice.call.kind === "fixed" ? choice.call.strike : null,
    rules: { call: ruleText(choice.call), put: ruleText(choice.put) },
    symbols: { ...store.answer?.symbols, ...view.contracts }, interval: controls.interval(),
    stored_minutes: desk.storedMinutes, as_of: store.answer?.as_of ?? null,
    last_id: live.cursor || null, frozen: contracts.frozen,
  }),
  () => ({ market: clock.now(), speed: clock.speed }))
void live.start()
