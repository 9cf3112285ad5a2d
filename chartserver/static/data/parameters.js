import { INTERVALS } from "./aggregate.js"
import { FILLS, HISTORIES, HORIZONS, OUTCOMES, SPLITS } from "./horizons.js"
import { parseRule } from "./rules.js"
import { SHOWN } from "./sweeps.js"
import { day, dayOrTime, moment, number, text, word, words } from "../lib/parameters.js"

export const UNDERLYINGS = /** @type {const} */ (["NIFTY", "BANKNIFTY"])
export const SLOWEST = 1
export const FASTEST = 300

const rule = text("a listed strike such as 25600, or atm, atm+2, atm-1, delta0.40", parseRule)

/** What the addresses of the live page and the replay have in common. */
export const CHART_PARAMETERS = {
  underlying: word(UNDERLYINGS),
  expiry: day,
  strike: rule,
  call: rule,
  put: rule,
  instrument: word(["index", "future"]),
  interval: word(/** @type {(keyof typeof INTERVALS)[]} */ (Object.keys(INTERVALS))),
  layout: word(["columns", "focus", "rows", "single"]),
  chart: word(["index", "call", "put"]),
  levels: words(["previous", "opening", "vwap", "ema9", "ema21"]),
  hide: words(["signals", "ladder"]),
  // An unknown strategy has no signals; which there are is not known before they are read.
  strategy: text("the name of a strategy", (given) => given),
  theme: word(["dark", "light", "system"]),
}

export const LIVE_PARAMETERS = {
  ...CHART_PARAMETERS,
  // Seconds that spot must stay nearer to another strike before the charts follow.
  patience: number(0, 600),
  frozen: text("two strikes such as 25600,25650", (given) => {
    const found = /^(\d{2,7}),(\d{2,7})$/.exec(given)
    return found && { call: Number(found[1]), put: Number(found[2]) }
  }),
}

const name = text("letters, digits and _ . + -", (given) =>
  (/^[\w.+ -]{1,60}$/.test(given) ? given.replaceAll(" ", "+") : null))

/** The other pages' are allowed: they come along with the links. */
export const SIGNALS_PARAMETERS = {
  ...CHART_PARAMETERS,
  from: dayOrTime,
  to: dayOrTime,
  version: name,
  direction: word(["BULLISH", "BEARISH"]),
  horizon: word(HORIZONS),
  history: word(HISTORIES),
  fills: word(FILLS),
  by: word(SPLITS),
  outcome: word(OUTCOMES.filter((outcome) => outcome !== "")),
  tab: word(["signals", "rejected"]),
  sort: text("a column, with - before it for the largest first", (given) =>
    (/^-?[a-z_0-9]{1,40}$/.test(given) ? given : null)),
}

export const SWEEPS_PARAMETERS = {
  ...CHART_PARAMETERS,
  sweep: number(1, 2 ** 31 - 1),
  x: name,
  y: name,
  // The values of the other numbers, such as wings:2,spike_window:9.
  fix: text("numbers and their values such as wings:2,spike_window:9", (given) =>
    (/^[\w.]+:[^,:]+(,[\w.]+:[^,:]+)*$/.test(given) ? given : null)),
  show: word(SHOWN),
}

export const REPLAY_PARAMETERS = {
  ...CHART_PARAMETERS,
  from: dayOrTime,
  to: dayOrTime,
  t: moment,
  speed: number(SLOWEST, FASTEST),
}
