/** @import { JudgedSignal, Rejection, VersionCount } from "./data/types.js" */
import { ApiError, getJson } from "./data/api.js"
import { createAppearance } from "./panels/appearance.js"
import { outcomeAt } from "./panels/columns.js"
import { createSelect, createSwitch } from "./panels/controls.js"
import { csvOf, download } from "./panels/csv.js"
import { byId, control, setText } from "./lib/dom.js"
import { createHelp } from "./panels/help.js"
import { explainNothing } from "./panels/nothing.js"
import { figuresText, rangeText, sealedText } from "./panels/figures.js"
import { News } from "./data/news.js"
import * as format from "./lib/format.js"
import { GrowingPause } from "./lib/pause.js"
import { SIGNALS_PARAMETERS } from "./data/parameters.js"
import { FILLS, HISTORIES, HORIZONS, OUTCOMES, SPLITS, exitText } from "./data/horizons.js"
import { writeLocation } from "./lib/location.js"
import { complaintText, readParameters } from "./lib/parameters.js"
import { getSetting } from "./lib/settings.js"
import { showBanner } from "./panels/notice.js"
import { linkPages } from "./panels/pages.js"
import { showRejections } from "./panels/rejected.js"
import { createResults } from "./panels/results.js"
import { getSessions } from "./data/sessions.js"
import { createSessionPicker } from "./panels/session-picker.js"
import { showSimulated } from "./panels/simulated.js"
import { meetVersions, strategyOptions } from "./data/strategies.js"
import { splitName } from "./panels/splits.js"
import { showSummary } from "./panels/summary.js"

/** Sessions on show while the URL names none. */
const USUAL_SESSIONS = 20

/**
 * What the server said about the chosen range.
 * @typedef {object} Loaded
 * @property {typeof choice} asked what it was asked: the figures are of this, whatever is chosen now
 * @property {number} read when, by the browser's own clock
 * @property {JudgedSignal[]} signals
 * @property {VersionCount[]} versions all of the range
 * @property {import("./panels/summary.js").Results} results
 * @property {{rejections: Rejection[], total: number}} rejected
 * @property {string[]} sealed sessions without outcomes, but of versions they were opened for
 */

const { values: given, complaints } = readParameters(SIGNALS_PARAMETERS)
const choice = {
  underlying: given.underlying ?? getSetting("underlying") ?? "NIFTY",
  from: given.from ?? "",
  to: given.to ?? "",
  strategy: given.strategy ?? "",
  version: given.version ?? "",
  direction: given.direction ?? "",
  horizon: given.horizon ?? HORIZONS[0],
  history: given.history ?? HISTORIES[0],
  fills: given.fills ?? FILLS[0],
  by: given.by ?? SPLITS[0],
  outcome: given.outcome ?? "",
  tab: given.tab ?? "signals",
}
/** The range that somebody chose; without one each underlying shows its newest sessions. */
let range = { from: given.from, to: given.to }
/** @type {Loaded | null} */
let loaded = null
/** @type {AbortController | null} */
let request = null
/** Why what is chosen could not be read. */
let trouble = ""
const pause = new GrowingPause()
const news = new News({
  concerns: ({ underlying, event_time }) => underlying === loaded?.asked.underlying
    && event_time > (format.parseMoment(choice.from) ?? -Infinity)
    && event_time <= endOf(range.to || range.from),
  changed: say,
})

const underlyings = createSwitch("underlyings", (underlying) => {
  // Another index has other sessions only by accident; strategies are the same.
  choose({ underlying }, false)
  void open()
})
const picker = createSessionPicker((from, to) => {
  range = { from, to }
  choose({ from, to })
  picker.show(sessions, from, to)
})
const strategies = createSelect("strategy", (strategy) => choose({ strategy, version: "" }))
const versions = createSelect("version", (version) => choose({ version }))
const directions = createSelect("direction", (direction) => choose({ direction }))
const histories = createSelect("history", (history) => choose({ history }))
const spreads = createSelect("fills", (fills) => choose({ fills }))
const splits = createSelect("by", (by) => choose({ by }))
const horizons = createSwitch("horizons", (horizon) => choose({ horizon }))
const outcomes = createSelect("outcome", (outcome) => {
  choose({ outcome }, false)
  draw()
})
const tabs = createSwitch("tabs", (tab) => {
  choose({ tab }, false)
  draw()
})
const results = createResults(given.sort ?? "-event_time", (sort) =>
  writeLocation({ sort: sort === "-event_time" ? null : sort }))
byId("csv").onclick = () => {
  if (!loaded) return
  const { underlying, from, to, horizon } = loaded.asked
  const name = ["signals", underlying, from, to].join("_")
  download(`${name}.csv`, csvOf(results.sorted(), Number(horizon)))
}
byId("reread").onclick = () => void open()
control("clear", HTMLButtonElement).onclick = () =>
  choose({ strategy: "", version: "", direction: "", outcome: "" })

/** @type {import("./data/sessions.js").StoredSession[]} */
let sessions = []
/** Counts readings of them: a choice made meanwhile makes an earlier one void. */
let opening = 0

/**
 * Take a choice into the URL and ask the server again.
 * @param {Record<string, string>} values
 * @param {boolean} [reload]
 */
function choose(values, reload = true) {
  Object.assign(choice, values)
  const defaults = {
    horizon: HORIZONS[0], history: HISTORIES[0], fills: FILLS[0], by: SPLITS[0], tab: "signals",
  }
  writeLocation(Object.fromEntries(Object.entries(values).map(([name, value]) =>
    [name, value === defaults[/** @type {keyof defaults} */ (name)] ? null : value])))
  carry()
  if (reload) void (sessions.length ? load() : open())
}

/** Let the links to the other pages keep what they can show as well. */
const carry = () =>
  linkPages({ underlying: choice.underlying, strategy: choice.strategy })

/** Learn which sessions are stored, then read the chosen range or the newest sessions. */
async function open() {
  underlyings.show(choice.underlying)
  writeLocation({ underlying: choice.underlying })
  carry()
  // Before anything is read: what comes meanwhile is news.
  if (news.underlying !== choice.underlying) news.follow(choice.underlying)
  const turn = ++opening
  try {
    ;[sessions] = await Promise.all([getSessions(choice.underlying), news.ready])
  } catch (error) {
    return turn === opening && failed(error, open)
  }
  if (turn !== opening) return
  const usual = sessions.slice(0, USUAL_SESSIONS)
  choice.from = range.from || range.to || usual[usual.length - 1]?.session || ""
  choice.to = range.to || range.from || usual[0]?.session || ""
  picker.show(sessions, choice.from, choice.to)
  await load()
}

async function load() {
  request?.abort()
  const mine = new AbortController()
  request = mine
  pause.wake()
  const { underlying, from, to, strategy, version, direction, horizon, history, fills, by } = choice
  const asked = { underlying, from, to, strategy, version, direction }
  const wanted = { ...choice }
  byId("figures").setAttribute("aria-busy", "true")
  news.begin()
  const read = performance.now()
  try {
    const counted = { ...asked, horizon, history, fills }
    const [signals, stats, distribution, equity, parts, rejected] = await Promise.all([
      getJson("/api/signals", asked, mine.signal),
      getJson("/api/signals/stats", counted, mine.signal),
      getJson("/api/signals/distribution", counted, mine.signal),
      getJson("/api/signals/equity", counted, mine.signal),
      getJson("/api/signals/splits", { ...counted, by }, mine.signal),
      getJson("/api/signals/rejections", asked, mine.signal),
    ])
    meetVersions(stats.versions)
    trouble = ""
    pause.end()
    loaded = {
      asked: wanted, read,
      signals: signals.signals, versions: stats.versions, rejected,
      sealed: stats.sealed_sessions,
      results: {
        stats: stats.stats, distributions: distribution.distributions, equity: equity.equity,
        splits: parts.splits, by,
      },
    }
    showSimulated(signals.simulated)
    say()
    draw()
  } catch (error) {
    if (!mine.signal.aborted) failed(error, load)
  } finally {
    if (request === mine) byId("figures").removeAttribute("aria-busy")
  }
}

/**
 * What is chosen could not be read: what was before stays, and says what it is of.
 * @param {unknown} error
 * @param {() => void} again
 */
async function failed(error, again) {
  if (!(error instanceof ApiError)) console.error(error)
  trouble = error instanceof Error ? error.message : String(error)
  const turn = opening
  const reading = request
  const seconds = error instanceof ApiError && error.away ? pause.next() : 0
  if (seconds) trouble += ` Trying again in ${seconds} s.`
  say()
  drawControls()
  if (!seconds) return
  await pause.wait(seconds)
  if (turn === opening && reading === request) again()
}

/** Say what is wrong, and as of when the figures are. */
function say() {
  const wrong = trouble || news.trouble
  const old = wrong && loaded
    ? `What is shown was read${readAt()}: ${figuresText(loaded.asked)}, ${rangeText(loaded.asked)}.` : ""
  showBanner([complaintText(complaints), wrong, old, sealedText(loaded?.sealed ?? [])].filter(Boolean).join(" "))
  byId("figures").toggleAttribute("data-old", trouble !== "" && loaded !== null)
  setText(byId("read-at"), loaded ? `Read${readAt()}` : "")
  setText(byId("reread"), news.newer ? "Newer signals: read again" : "Read again")
  byId("reread").toggleAttribute("data-newer", news.newer)
}

/** ` Wed 21 Jan 2026 10:42:15 IST` of the market's clock; nothing before that is known. */
function readAt() {
  const { clock } = news
  if (!loaded || !clock.known) return ""
  const time = clock.now() - ((performance.now() - loaded.read) / 1000) * clock.speed
  return ` ${format.longDay(time)} ${format.second(time)} IST`
}

/** End of a range, whose last day is in it; never where it has none. @param {string | null} to */
const endOf = (to) =>
  (format.parseMoment(to) ?? Infinity) + (to?.length === 10 ? 86_400 : 0)

/** Signals of the outcome that is chosen. @param {JudgedSignal[]} signals @param {number} horizon */
function chosen(signals, horizon) {
  const { outcome } = choice
  if (!outcome) return signals
  return signals.filter((signal) =>
    (outcomeAt(signal, horizon)?.exit_reason ?? "none") === outcome)
}

function drawControls() {
  const found = loaded?.versions ?? []
  const ofStrategy = found.filter(({ strategy }) =>
    !choice.strategy || strategy === choice.strategy)
  const names = [...new Set([
    ...ofStrategy.map(({ version }) => version), ...(choice.version ? [choice.version] : []),
  ])]
  strategies.show(
    strategyOptions(found.map(({ strategy }) => strategy), choice.strategy || null),
    choice.strategy)
  versions.show(
    [{ value: "", text: "All versions" }, ...names.map((value) => ({ value, text: value }))],
    choice.version)
  directions.show([
    { value: "", text: "Both directions" },
    { value: "BULLISH", text: "\u25b2 BULLISH" },
    { value: "BEARISH", text: "\u25bc BEARISH" },
  ], choice.direction)
  outcomes.show(OUTCOMES.map((value) => ({
    value, text: !value ? "All outcomes" : value === "none" ? "No outcome yet" : exitText(value),
  })), choice.outcome)
  histories.show([
    { value: "corrected", text: "Signals that stand" },
    { value: "known_then", text: "As known then" },
  ], choice.history)
  spreads.show(FILLS.map((value) => ({
    value, text: value === "1" ? "1 spread paid" : `${value} spreads paid`,
  })), choice.fills)
  splits.show(SPLITS.map((value) => ({ value, text: `By ${splitName(value).toLowerCase()}` })),
    choice.by)
  horizons.show(choice.horizon)
  tabs.show(choice.tab)
}

function draw() {
  drawControls()
  if (!loaded) return
  const { asked } = loaded
  const horizon = Number(asked.horizon)
  const shown = chosen(loaded.signals, horizon)
  const onShow = loaded.versions.filter(({ strategy, version }) =>
    (!asked.strategy || strategy === asked.strategy)
    && (!asked.version || version === asked.version))
  showSummary(onShow, loaded.results, horizon)
  byId("summary-note").hidden = onShow.length === 0
  setText(byId("summary-what"), figuresText(asked))
  results.show(shown, horizon)
  showRejections(loaded.rejected.rejections, loaded.rejected.total)
  const withdrawn = shown.filter((signal) => signal.withdrawn).length
  setText(byId("result-count"), String(shown.length - withdrawn))
  setText(byId("rejected-count"), String(loaded.rejected.total))
  setText(byId("result-note"), withdrawn ? `and ${withdrawn} withdrawn` : "")
  const rejected = choice.tab === "rejected"
  byId("rejected-table").hidden = !rejected || loaded.rejected.total === 0
  byId("result-table").hidden = rejected || shown.length === 0
  control("csv", HTMLButtonElement).disabled = rejected || shown.length === 0
  if (rejected) byId("result-more").hidden = true
  explainNothing(rejected ? loaded.rejected.total : shown.length, asked, choice)
}

createHelp()
createAppearance(() => {})
drawControls()
// A page that was put away has left the stream.
addEventListener("pagehide", () => news.leave())
addEventListener("pageshow", (event) => event.persisted && news.follow(choice.underlying))
void open()
