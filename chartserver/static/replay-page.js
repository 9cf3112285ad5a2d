/** @import { Rule } from "./data/rules.js" */
import { listenToAxis } from "./charts/axis-click.js"
import { Desk } from "./charts/desk.js"
import { ApiError } from "./data/api.js"
import { REPLAY_PARAMETERS } from "./data/parameters.js"
import { Replay } from "./data/replay.js"
import { AT_THE_MONEY, fixedAt, loosened, ruleText, unmetText, writtenRules } from "./data/rules.js"
import { getSessions } from "./data/sessions.js"
import { Store } from "./data/store.js"
import { previousDay } from "./data/previous.js"
import { priceOf } from "./data/prices.js"
import { parseOption } from "./data/symbols.js"
import { View } from "./data/view.js"
import { byId, setText } from "./lib/dom.js"
import * as format from "./lib/format.js"
import { registerKeys } from "./lib/keys.js"
import { eachFrame, throttled } from "./lib/frame.js"
import { readLocation, writeLocation } from "./lib/location.js"
import { complaintText, readParameters } from "./lib/parameters.js"
import { createAppearance } from "./panels/appearance.js"
import { createHelp } from "./panels/help.js"
import { createSwitch } from "./panels/controls.js"
import { expose } from "./charts/inspect.js"
import { createLadder } from "./panels/ladder.js"
import { knownLimits, showLossLimit } from "./panels/loss-limit.js"
import { showBanner, showNotice } from "./panels/notice.js"
import { carriedFrom, linkPages } from "./panels/pages.js"
import { Player } from "./panels/player.js"
import { createSeek } from "./panels/seek.js"
import { createSessionPicker } from "./panels/session-picker.js"
import { createSignalList } from "./panels/signals.js"
import { showSimulated } from "./panels/simulated.js"
import { createSpot } from "./panels/spot.js"
import { createStartHere } from "./panels/start-here.js"
import { createStrategyKey } from "./panels/strategy-key.js"
import { createStrikes } from "./panels/strikes.js"
import { createTransport } from "./panels/transport.js"
import { createViewControls } from "./panels/view.js"

const USUAL_SPEED = 60
/** What the clock reaches within so many seconds of the viewer is read ahead. */
const AHEAD_SECONDS = 10

const query = readLocation()
const { values: given, complaints } = readParameters(REPLAY_PARAMETERS, query)
// What the page cannot use must not be used by a part of it either.
for (const { name } of complaints) query.delete(name)
/** @type {{underlying: string, from: string, to: string, expiry: string | null}} */
const choice = {
  underlying: given.underlying ?? "NIFTY", from: given.from ?? "", to: given.to ?? "",
  expiry: given.expiry,
}
/** What the page has to say about the address, the range and what it waits for. */
const said = { address: complaintText(complaints), range: "", waiting: "", trouble: "" }
let state = "loading"
let message = ""

const store = new Store()
const view = new View()
/** Whether the page itself decides how much is visible, until a person does. */
let fitted = true
let fitting = false
const desk = new Desk(store, view, () => {
  fitted &&= fitting
  showReturn()
})
desk.open()
const spot = createSpot()
const frame = eachFrame(draw)
const afterwards = eachFrame(write)
const replay = new Replay(store, view, () => {
  player.arrived()
  // Strikes chosen by delta follow the ladder of the moment.
  if (state === "ready" && player.goal === null && !replay.isShown()) showMoment(replay.time, false)
  frame()
})
replay.rules = {
  call: given.call ?? given.strike ?? AT_THE_MONEY, put: given.put ?? given.strike ?? AT_THE_MONEY,
}
replay.future = given.instrument === "future"
/** @type {{call: Rule, put: Rule} | null} what was chosen before the strikes were frozen */
let unfrozen = null

const hooks = { show: showMoment, changed: () => transport.show(state === "ready") }
let player = new Player(replay.timeline, given.speed ?? USUAL_SPEED, {
  ...hooks, changed() {
    writeLocation({ speed: player.speed })
    hooks.changed()
  },
})

const controls = createViewControls(given, view, {
  changed: frame, filtered, unfolded: frame,
})
const ladder = createLadder({ pick: (strike) => pickRules(fixedAt(strike)) })
const list = createSignalList({
  go: (signal) => desk.range.showTime(signal.event_time - 1),
  open: (signal) => {
    const option = parseOption(signal.symbol)
    if (option) pickRules(fixedAt(option.strike))
  },
})
const strategyKey = createStrategyKey()
const startHere = createStartHere(() => desk.pointed, (time) => player.step(time))
const transport = createTransport(() => player, {
  candle: (direction) =>
    direction > 0 ? replay.timeline.after(player.time, desk.minutes || view.minutes)
      : replay.timeline.before(player.time, desk.minutes || view.minutes),
  event: (direction) => replay.event(direction).catch((error) => {
    said.trouble = `What was on show before could not be read: ${error.message}`
    frame()
    return replay.time
  }),
}, startHere)
const seek = createSeek((time) => player.seek(time))
listenToAxis(desk.charts, () => desk.grid, (time) => player.step(time))
const picker = createSessionPicker((from, to) => {
  Object.assign(choice, { from, to })
  writeLocation({ from, to, t: null })
  void load(null)
}, false)
const underlyings = createSwitch("underlyings", (underlying) => {
  Object.assign(choice, { underlying, expiry: null })
  writeLocation({ underlying, expiry: null })
  setRules({ call: loosened(replay.rules.call), put: loosened(replay.rules.put) })
  void open(player.time)
})
const instruments = createSwitch("instrument", (value) => {
  replay.future = value === "future"
  writeLocation({ instrument: replay.future ? value : null })
  again()
})
const strikes = createStrikes(
  {
    get rules() { return replay.rules },
    get atm() { return replay.atm },
    get frozen() { return unfrozen !== null },
  },
  pickRules, freeze, () => ({
    strikes: store.answer?.strikes ?? [],
    call: parseOption(view.contracts.call)?.strike ?? null,
    put: parseOption(view.contracts.put)?.strike ?? null,
  }))
// Browsers limit how often a page may rewrite its URL.
const rememberTime = throttled(
  () => state === "ready" && writeLocation({ t: format.isoMoment(player.time) }), 1000)

/** @param {{call: Rule, put: Rule}} rules */
function setRules(rules) {
  replay.rules = rules
  writeLocation(writtenRules(rules))
}

/** @param {{call: Rule, put: Rule}} rules */
function pickRules(rules) {
  unfrozen = null
  setRules(rules)
  again()
}

/** Hold the strikes where they are, or let them follow again. @param {boolean} frozen */
function freeze(frozen) {
  const { call, put } = view.contracts
  const [above, below] = [parseOption(call)?.strike, parseOption(put)?.strike]
  const before = unfrozen
  if (frozen && above !== undefined && below !== undefined) {
    const { rules } = replay
    pickRules({ call: { kind: "fixed", strike: above }, put: { kind: "fixed", strike: below } })
    unfrozen = rules
  } else if (before) pickRules(before)
  frame()
}

/** Other contracts of the moment on show are wanted. */
function again() {
  if (state === "ready") player.seek(player.time)
  frame()
}

function filtered() {
  list.reset()
  frame()
}

/**
 * Learn which sessions are stored, then read the chosen range or the newest session.
 * @param {number | null} time where to stand; null for the range's start
 */
async function open(time) {
  underlyings.show(choice.underlying)
  linkPages(carriedFrom(readLocation()))
  try {
    const sessions = await getSessions(choice.underlying)
    const newest = sessions[0]?.session ?? ""
    choice.from ||= choice.to || newest
    choice.to ||= choice.from
    picker.show(sessions, choice.from, choice.to)
    if (!choice.from)
      return report("empty", `No session of ${choice.underlying} is stored yet. Import one, or let the feed run.`)
    await load(time)
  } catch (error) {
    failed(error)
  }
}

let turn = 0

/** Read a range. @param {number | null} time where to stand; null for its start */
async function load(time) {
  const mine = ++turn
  player.stop()
  said.range = said.waiting = said.trouble = ""
  report("loading", "Reading the range\u2026")
  try {
    await replay.load({ ...choice }, () => mine === turn)
    if (mine === turn) begin(time)
  } catch (error) {
    if (mine === turn) failed(error)
  }
}

/** The range is there. @param {number | null} time */
function begin(time) {
  const { timeline, answer } = replay
  player = new Player(timeline, player.speed, player.hooks)
  showSimulated(answer?.simulated ?? false)
  seek.load(timeline)
  list.reset()
  fitted = true
  desk.redraw()
  writeLocation({ underlying: choice.underlying, from: choice.from, to: choice.to })
  if (!timeline.length)
    return report("empty", "Nothing is stored in this range. Choose another session above.")
  const outside = time !== null && timeline.clamp(time) !== time
  said.range = [
    outside ? `${format.longDay(time)} ${format.second(time)} is in no session of this range; the ` +
      `nearest time of one is shown. The range is from ` +
      `${format.longDay(timeline.start)} ${format.second(timeline.start)} to ` +
      `${format.longDay(timeline.end)} ${format.second(timeline.end)}.` : "",
    timeline.late ? `${timeline.late} rows became known long after their session; they show only ` +
      "from then on." : "",
  ].filter((text) => text).join(" ")
  report("ready", "")
  // A range that begins within a session is opened there.
  const start = choice.from.includes("T") ? format.parseMoment(choice.from) : null
  player.seek(time ?? start ?? timeline.start)
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
  const action = next === "error"
    ? { label: "Try again", run: () => void open(player.time || given.t) } : undefined
  const title = titles[/** @type {keyof titles} */ (next)]
  const kind = /** @type {"loading" | "empty" | "error"} */ (next)
  showNotice(next === "ready" ? null : { kind, title, text, action })
  hooks.changed()
  frame()
}

/**
 * Show a moment, or read what it needs first and say so.
 * @param {number} time
 * @param {boolean} jumped
 */
function showMoment(time, jumped) {
  if (!replay.show(time, jumped)) {
    wait(time)
    return false
  }
  said.waiting = said.trouble = ""
  if (jumped) list.reset()
  rememberTime()
  const until = replay.timeline.timeAt(
    replay.timeline.offsetOf(time) + AHEAD_SECONDS * player.speed)
  void replay.readAhead(until)
  // At once: a frame in between would be written from this moment over charts of the last one.
  draw()
  return true
}

/** The clock stands until the contracts of a moment are there. @param {number} time */
function wait(time) {
  if (said.waiting) return
  const { call, put } = replay.shownAt(time)
  const names = [call, put].filter((symbol) => !replay.tape.has(symbol)).join(" and ")
  said.waiting = `Reading ${names}; the clock waits for it at ${format.second(player.time || time)}.`
  replay.prepare(time).then(
    () => {
      said.waiting = ""
      player.arrived()
    },
    (error) => {
      said.waiting = ""
      player.pause()
      player.goal = null
      said.trouble = `${names} could not be read: ${error.message} The clock stands; play to try again.`
    }).finally(frame)
  frame()
}

/** The button that leads back to the newest candle. */
function showReturn() {
  byId("go-live").hidden = desk.range.isLive
}

/** Keep the newest candles in view at a comfortable width, until a person chose another. */
function fit() {
  if (!fitted || !desk.grid.times.length) return
  fitting = true
  desk.range.goLive()
  fitting = false
}

function describeState() {
  const { expiry, strikes: absent } = replay.missing
  const missing = state !== "ready" ? "" : expiry === null
    ? `No contracts of ${choice.underlying} that expire ${choice.expiry ? `on ${format.dateText(choice.expiry)}` : "after this session"} were known in this session.`
    : absent.map((strike) => `${choice.underlying} had no strike ${format.count(strike)} for ` +
      `${format.dateText(expiry)} in this session.`).join(" ")
  const unmet = state === "ready" ? unmetText(replay.rules, replay.atm, store.answer?.strikes ?? []) : ""
  showBanner([
    said.address, said.waiting, said.trouble, ladderTrouble(), said.range, missing, unmet,
  ].filter((text) => text).join(" "))
}

/** Why the strike ladder is not that of the moment, and of when it is. */
function ladderTrouble() {
  const { trouble } = replay.ladder
  if (!trouble || byId("ladder").hidden) return ""
  const at = store.ladder?.at
  return `The strike ladder could not be read: ${trouble}` +
    (at ? ` It is still as of ${format.second(at)}.` : "")
}

const isReady = () => state === "ready" && !Number.isNaN(replay.time)

/** Draw the charts; what is written beside them, the clock too, follows when they are painted. */
function draw() {
  if (isReady()) {
    desk.draw()
    fit()
  }
  afterwards()
}

function write() {
  const ready = isReady()
  setText(byId("market-clock"), ready ? format.second(replay.time) : "--:--:--")
  setText(byId("market-day"), ready ? format.longDay(replay.time) : "")
  describeState()
  if (!ready) return
  showReturn()
  controls.show(store, desk.storedMinutes)
  spot.show(store, store.atm)
  instruments.show(replay.future ? "future" : "index")
  strikes.show(store)
  for (const role of ["index", "call", "put"])
    setText(byId(`empty-${role}`), `No candle was known at ${format.second(replay.time)}.`)
  const signals = view.signals(store)
  seek.show(replay.time, signals)
  list.show(signals, [view.contracts.call, view.contracts.put])
  strategyKey.show([...store.signals.values()].map((signal) => signal.strategy))
  showLossLimit(knownLimits(replay.answer?.loss_limit ?? [], replay.time), choice.underlying)
  if (!byId("ladder").hidden)
    replay.ladder.follow(choice.underlying, store.answer?.expiry ?? null, replay.time)
  ladder.show(store.ladder && { ...store.ladder, atm_strike: store.atm }, {
    contracts: view.contracts, market: replay.time, priceOf: (symbol) => priceOf(store, symbol),
    dated: true, before: previousDay(store, store.answer?.symbols.index ?? "")?.close ?? null,
    note: replay.ladder.trouble || `Reading the ladder of ${format.second(replay.time)}\u2026`,
  })
}

byId("go-live").onclick = () => desk.range.goLive()
registerKeys([{ keys: ["l"], does: "Go to the newest candle", run: () => desk.range.goLive() }])
createHelp()
createAppearance(() => {
  desk.recolour()
  frame()
})
expose("replay", { store, view, desk },
  () => ({
    connection: state, message, simulated: replay.answer?.simulated ?? null,
    underlying: choice.underlying, from: choice.from, to: choice.to,
    session: store.answer?.session ?? null, expiry: store.answer?.expiry ?? null,
    atm_strike: replay.atm, spot: store.spot, strikes: [...store.answer?.strikes ?? []],
    rules: { call: ruleText(replay.rules.call), put: ruleText(replay.rules.put) },
    symbols: { ...store.answer?.symbols, ...view.contracts }, interval: controls.interval(),
    stored_minutes: desk.storedMinutes,
    // Nothing more comes by itself: contracts and ladder are of the clock's moment.
    settled: state === "ready" && player.goal === null && !player.playing &&
      (byId("ladder").hidden || store.answer?.expiry === null ||
        store.ladder?.at === Math.floor(replay.time)),
  }),
  () => ({
    market: replay.time, speed: player.speed, playing: player.playing,
    start: player.timeline.start, end: player.timeline.end,
  }))
void open(given.t)
