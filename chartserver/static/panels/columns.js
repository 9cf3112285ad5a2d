/** @import { JudgedSignal, Outcome } from "../data/types.js" */
import { element } from "../lib/dom.js"
import * as format from "../lib/format.js"
import { exitText } from "../data/horizons.js"
import { replayLink } from "./moment.js"
import { strategyLetter, strategyTitle } from "../data/strategies.js"
import { longName, parseOption } from "../data/symbols.js"

/**
 * One column of the table of signals: the same value is shown, sorted by and saved.
 * @typedef {object} Column
 * @property {string} key
 * @property {string} label
 * @property {string} [hint]
 * @property {boolean} [numeric]
 * @property {boolean} [optional] left out where no signal has a value
 * @property {(signal: JudgedSignal, outcome: Outcome | null) => string | number | null} value
 * @property {(signal: JudgedSignal, outcome: Outcome | null) => string | Node} show
 * @property {(signal: JudgedSignal, outcome: Outcome | null) => string} [tone]
 */

const NOTHING = "\u2013"

/**
 * The outcome of a signal at a horizon.
 * @param {JudgedSignal} signal
 * @param {number} horizon
 */
export const outcomeAt = (signal, horizon) =>
  signal.outcomes.find((outcome) => outcome.horizon_minutes === horizon) ?? null

/** A trade's numbers mean something only when it was entered. @param {Outcome | null} outcome */
const traded = (outcome) => (outcome?.exit_reason === "not_entered" ? null : outcome)

/**
 * A column of points of premium that a signal carries.
 * @param {"entry" | "stop" | "target1" | "target2"} key
 * @param {string} label
 * @param {string} [tone]
 * @returns {Column}
 */
const level = (key, label, tone = "") => ({
  key, label, numeric: true,
  value: (signal) => signal[key],
  show: (signal) => format.price(signal[key]),
  tone: () => tone,
})

/**
 * @param {"mfe_points" | "mae_points"} key
 * @param {string} label
 * @param {string} hint
 * @returns {Column}
 */
const excursion = (key, label, hint) => ({
  key, label, hint, numeric: true,
  value: (_, outcome) => traded(outcome)?.[key] ?? null,
  show: (_, outcome) => format.price(traded(outcome)?.[key]),
})

/** @type {Column[]} */
export const COLUMNS = [
  {
    key: "event_time", label: "Time", hint: "End of the evaluated interval, IST", numeric: true,
    value: (signal) => signal.event_time,
    show: (signal) => `${format.dayMonth(signal.event_time)} ${format.minute(signal.event_time)}`,
    tone: () => "strong",
  },
  {
    key: "strategy", label: "Strategy",
    hint: "With the version where its numbers are its own, or its rules are not the newest",
    value: (signal) => strategyTitle(signal),
    show: showStrategy,
  },
  {
    key: "direction", label: "Direction",
    value: (signal) => signal.direction,
    show: (signal) =>
      `${signal.direction === "BULLISH" ? "\u25b2" : "\u25bc"} ${signal.direction}`,
    tone: (signal) => (signal.direction === "BULLISH" ? "up strong" : "down strong"),
  },
  {
    key: "symbol", label: "Buy",
    value: (signal) => signal.symbol,
    show: showContract,
  },
  {
    ...level("entry", "Entry", "strong"),
    hint: "With \u2265: bought only when the premium rises to it",
    show: ({ entry, entry_order }) =>
      (entry_order === "stop" ? "\u2265 " : "") + format.price(entry),
  },
  level("stop", "Stop", "down"),
  level("target1", "Target 1", "up"),
  level("target2", "Target 2", "up"),
  {
    key: "iv", label: "IV", hint: "Implied volatility of the contract", numeric: true,
    optional: true,
    value: (signal) => signal.iv ?? null,
    show: ({ iv }) => format.volatility(iv),
  },
  {
    key: "delta", label: "Delta", hint: "Of the contract", numeric: true, optional: true,
    value: (signal) => signal.delta ?? null,
    show: ({ delta }) => format.delta(delta),
  },
  {
    key: "return_points", label: "Return", hint: "Points of premium after costs", numeric: true,
    value: (_, outcome) => traded(outcome)?.return_points ?? null,
    show: (_, outcome) => format.signedPrice(traded(outcome)?.return_points),
    tone: (_, outcome) => `strong ${format.tone(traded(outcome)?.return_points)}`,
  },
  excursion("mfe_points", "MFE", "Most that the premium rose above the entry, points"),
  excursion("mae_points", "MAE", "Most that the premium fell below the entry, points"),
  {
    key: "exit_reason", label: "Exit", hint: "A tick: target 1 came before the stop",
    value: (_, outcome) => outcome && exitText(outcome.exit_reason),
    show: (_, outcome) =>
      outcome ? `${outcome.hit ? "\u2713 " : ""}${exitText(outcome.exit_reason)}` : NOTHING,
    tone: (_, outcome) =>
      (outcome?.hit ? "up" : outcome?.exit_reason === "stop" ? "down" : "muted"),
  },
  {
    key: "known_at", label: "Replay", hint: "Opens the replay, paused when the signal became known",
    numeric: true,
    value: (signal) => signal.known_at,
    show: ({ underlying, symbol, known_at }) => replayLink(underlying, symbol, known_at),
  },
]

/** @param {JudgedSignal} signal */
function showStrategy(signal) {
  const made = element("span", { className: "by", title: `version ${signal.version}` })
  made.append(
    element("i", { className: "letter", textContent: strategyLetter(signal.strategy) }),
    strategyTitle(signal))
  if (signal.revision > 1)
    made.append(element("em", {
      className: "tick-mark", textContent: `r${signal.revision}`, testId: "revision",
      title: `Revision ${signal.revision}: corrected inputs changed it`,
    }))
  if (signal.withdrawn)
    made.append(element("em", {
      className: "tick-mark gone", textContent: "withdrawn", testId: "withdrawn",
      title: "Corrected inputs took it back; it counts in no statistics",
    }))
  return made
}

/** @param {JudgedSignal} signal */
function showContract(signal) {
  const option = parseOption(signal.symbol)
  const made = element("span", { title: longName(signal.symbol) })
  if (!option) return (made.append(signal.symbol), made)
  made.append(
    element("small", { textContent: `${option.underlying} ` }),
    element("b", { textContent: `${option.strike} ${option.kind}` }))
  return made
}
