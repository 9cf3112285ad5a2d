/** @import { JudgedSignal, Rejection, VersionCount } from "./data/types.js" */
import { ApiError, getJson } from "./data/api.js"
import { createAppearance } from "./panels/appearance.js"
import { outcomeAt } from "./panels/columns.js"
import { createSelect, createSwitch } from "./panels/controls.js"
import { csvOf, download } from "./panels/csv.js"
import { byId, control, setText } from "./lib/dom.js"
import { createHelp } from "./panels/help.js"
import { SIGNALS_PARAMETERS } from "./data/parameters.js"
import { FILLS, HISTORIES, HORIZONS, OUTCOMES, SPLITS, exitText, horizonText } from "./data/horizons.js"
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
  const name = ["signals", choice.underlying, choice.from, choice.to].join("_")
  download(`${name}.csv`, csvOf(results.sorted(), Number(choice.horizon)))
}
control("clear", HTMLButtonElement).onclick = () =>
  choose({ strategy: "", version: "", direction: "", outcome: "" })

/** @type {import("./data/sessions.js").StoredSession[]} */
let sessions = []

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
  if (reload) void load()
}

/** Let the links to the other pages keep what they can show as well. */
const carry = () =>
  linkPages({ underlying: choice.underlying, strategy: choice.strategy })

/** Learn which sessions are stored, then read the chosen range or the newest sessions. */
async function open() {
  underlyings.show(choice.underlying)
  writeLocation({ underlying: choice.underlying })
  carry()
  try {
    sessions = await getSessions(choice.underlying)
  } catch (error) {
    return failed(error)
  }
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
  const { underlying, from, to, strategy, version, direction, horizon, history, fills, by } = choice
  const asked = { underlying, from, to, strategy, version, direction }
  byId("results").setAttribute("aria-busy", "true")
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
    loaded = {
      signals: signals.signals, versions: stats.versions, rejected,
      sealed: stats.sealed_sessions,
      results: {
        stats: stats.stats, distributions: distribution.distributions, equity: equity.equity,
        splits: parts.splits, by,
      },
    }
    showSimulated(signals.simulated)
    showBanner([complaintText(complaints), sealedText(loaded.sealed)].filter(Boolean).join(" "))
    draw()
  } catch (error) {
    if (!mine.signal.aborted) failed(error)
  } finally {
    if (request === mine) byId("results").removeAttribute("aria-busy")
  }
}

/** What is missing from the statistics. @param {string[]} sealed */
function sealedText(sealed) {
  if (!sealed.length) return ""
  const range = [...new Set([sealed[0], sealed[sealed.length - 1]])].join(" to ")
  return `${sealed.length} sealed sessions (${range}) have no outcomes and count in no statistics, ` +
    "but for versions that they were opened for."
}

/** @param {unknown} error */
function failed(error) {
  if (!(error instanceof ApiError)) console.error(error)
  showBanner(error instanceof Error ? error.message : String(error))
  drawControls()
}

/** Signals of the outcome that is chosen. @param {JudgedSignal[]} signals */
function chosen(signals) {
  const { outcome } = choice
  if (!outcome) return signals
  return signals.filter((signal) =>
    (outcomeAt(signal, Number(choice.horizon))?.exit_reason ?? "none") === outcome)
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
  const horizon = Number(choice.horizon)
  const shown = chosen(loaded.signals)
  const onShow = loaded.versions.filter(({ strategy, version }) =>
    (!choice.strategy || strategy === choice.strategy)
    && (!choice.version || version === choice.version))
  showSummary(onShow, loaded.results, horizon)
  byId("summary-note").hidden = onShow.length === 0
  setText(byId("summary-what"), `Outcomes ${horizonText(horizon)}, ${sides()}, ${counted()}`)
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
  explainNothing(rejected ? loaded.rejected.total : shown.length)
}

/** What the statistics are about. */
function sides() {
  if (!choice.direction) return "signals of both directions"
  return `${choice.direction} signals; random entries have no direction`
}

/** Whose outcomes they are, and what orders are taken to pay. */
function counted() {
  const which = choice.history === "corrected" ? "as corrected: withdrawn ones left out"
    : "as known then: withdrawn ones too, from when they were first known"
  const paid = choice.fills === "0" ? "bought and sold at the last price"
    : `${choice.fills === "1" ? "1 spread" : "2 spreads"} and the slippage of stops paid`
  const usual = choice.history === HISTORIES[0] && choice.fills === FILLS[0]
  const table = usual ? "" : "; the table has them as corrected, with 1 spread paid"
  return `${which}; ${paid}${table}`
}

/** Say why a table is empty, and what to do. @param {number} rows */
function explainNothing(rows) {
  byId("nothing").hidden = rows > 0
  if (rows) return
  const { underlying, from, to, strategy, version, direction, outcome, tab } = choice
  const narrowed = Boolean(strategy || version || direction || (outcome && tab === "signals"))
  byId("clear").hidden = !narrowed
  const range = from.slice(0, 10) === to.slice(0, 10) ? from : `${from} to ${to}`
  const what = tab === "rejected" ? "rejected candidate" : "signal"
  setText(byId("nothing-text"),
    !from ? `No session of ${underlying} is stored yet. Import recorded days with: ` +
      "optionscalp import FILE"
      : narrowed ? `No ${what} of ${range} matches these filters.`
        : tab === "rejected" ? `No candidate was rejected in ${range}.`
          : `No signal of ${underlying} in ${range}. To compute them again: ` +
            `optionscalp signals --from ${from.slice(0, 10)} --to ${to.slice(0, 10)}`)
}

createHelp()
createAppearance(() => {})
drawControls()
void open()
