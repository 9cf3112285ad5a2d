/** @import { Distribution, Equity, Proof, Split, Stats, VersionCount } from "../data/types.js" */
import { byId, element } from "../lib/dom.js"
import * as format from "../lib/format.js"
import { drawEquity } from "./equity.js"
import { drawHistogram } from "./histogram.js"
import { splitTable } from "./splits.js"
import { horizonText } from "../data/horizons.js"
import { strategyLetter, strategyName } from "../data/strategies.js"

/**
 * What is shown of the chosen signals.
 * @typedef {object} Results
 * @property {Stats[]} stats
 * @property {Distribution[]} distributions
 * @property {Equity[]} equity
 * @property {Split[]} splits
 * @property {string} by what they are split by
 */

/**
 * What signals came to, one card per strategy and version, always beside random entries.
 * @param {VersionCount[]} versions those on show
 * @param {Results} results
 * @param {number} horizon
 */
export function showSummary(versions, results, horizon) {
  byId("summary").replaceChildren(...versions.map((version) => card(version, results, horizon)))
}

/**
 * @param {VersionCount} version
 * @param {Results} results
 * @param {number} horizon
 */
function card(version, { stats, distributions, equity, splits, by }, horizon) {
  /** @param {{strategy: string, version: string}} other */
  const same = (other) => other.strategy === version.strategy && other.version === version.version
  const row = stats.find((one) => same(one) && one.horizon_minutes === horizon)
  const distribution = distributions.find(same)
  const box = element("article", { className: "panel card", testId: "summary-card" })
  box.dataset.strategy = version.strategy
  const title = element("h2")
  title.append(
    element("i", { className: "letter", textContent: strategyLetter(version.strategy) }),
    strategyName(version.strategy),
    element("small", { textContent: `version ${version.version}` }))
  box.append(title, proof(version.proof))
  if (!row) {
    box.append(element("p", {
      className: "nothing", testId: "no-outcomes",
      textContent: `${signalCount(version.signals)}, no outcomes ${horizonText(horizon)} yet. ` +
        "They come after the close, or with: optionscalp outcomes",
    }))
    return box
  }
  const numbers = element("div", { className: "numbers" })
  numbers.append(
    rate("Signals", row.n, row.hit_rate, row.hit_rate_low, row.hit_rate_high, "ours",
      row.n + row.n_not_entered),
    rate("Random entries", row.random_n, row.random_hit_rate, row.random_hit_rate_low,
      row.random_hit_rate_high, "chance"),
    verdict(row),
    means(row),
    money(row))
  const halves = element("div", { className: "halves" })
  halves.append(numbers)
  const pictures = element("div")
  if (distribution?.bins.length)
    pictures.append(drawHistogram(distribution, horizonText(horizon)))
  const sessions = equity.filter(same)
  if (sessions.length) pictures.append(drawEquity(sessions))
  halves.append(pictures)
  box.append(halves)
  const parts = splits.filter(same)
  if (parts.length) box.append(splitTable(parts, by))
  return box
}

/**
 * What was proved of a version stands beside all that is said of it.
 * @param {Proof | undefined} found
 */
function proof(found) {
  const line = element("p", { className: "proof", testId: "proof" })
  line.dataset.proof = found?.status ?? "unproved"
  line.textContent = proofText(found)
  return line
}

/** @param {Proof | undefined} found */
function proofText(found) {
  if (!found || found.status === "unproved")
    return "Unproved: neither parity nor look-ahead was looked at. optionscalp parity, lookahead"
  const sessions = (/** @type {number} */ n) => (n === 1 ? "1 session" : `${format.count(n)} sessions`)
  const until = found.proved_at ? `, ${format.longDay(found.proved_at)}` : ""
  return found.status === "different"
    ? `Proof failed: ${sessions(found.different_sessions)} came out differently${until}.`
    : `Proved: parity in ${sessions(found.parity_sessions)}, no look-ahead in ` +
      `${sessions(found.lookahead_sessions)}${until}.`
}

/** @param {number} n */
const signalCount = (n) => (n === 1 ? "1 signal" : `${format.count(n)} signals`)

/** @param {number} share */
const percent = (share) => `${(share * 100).toFixed(0)}%`

/**
 * A hit rate and its interval, as text and on a line from 0 to 100 %.
 * @param {string} name
 * @param {number} n
 * @param {number | null} value
 * @param {number | null} low
 * @param {number | null} high
 * @param {string} className
 * @param {number} [all] how many there were, those not entered included
 */
function rate(name, n, value, low, high, className, all = n) {
  const line = element("div", { className: `rate ${className}`, testId: `rate-${className}` })
  line.append(element("span", { textContent: name }))
  if (value === null) {
    line.append(element("span", { className: "muted", textContent: "none yet" }))
    return line
  }
  const track = element("span", { className: "track" })
  const known = low !== null && high !== null
  const range = element("i")
  range.hidden = !known
  range.style.left = `${(low ?? 0) * 100}%`
  range.style.width = `${((high ?? 0) - (low ?? 0)) * 100}%`
  const dot = element("b")
  dot.style.left = `${value * 100}%`
  track.append(range, dot)
  const said = element("span", { className: "said" })
  said.append(
    element("b", { textContent: percent(value) }),
    ` hit${known ? ` (${percent(low)} to ${percent(high)})` : ""}, n = ${format.count(n)}`,
    all > n ? ` of ${format.count(all)}` : "")
  line.title = "Hit: target 1 before the stop. In brackets the 95 % interval by session, which " +
    `needs ${SESSIONS_NEEDED} sessions.` +
    (all > n ? ` ${format.count(all - n)} of ${format.count(all)} were not entered.` : "")
  line.append(said, track)
  return line
}

/** As the database's sessions_needed(). */
const SESSIONS_NEEDED = 10

/** Say no more than the numbers do. @param {Stats} row */
function verdict(row) {
  const text = {
    better: "Better than random entries matched to it.",
    worse: "Worse than random entries matched to it.",
    same: "Not distinguishable from random entries.",
    few_sessions: `Only ${row.matched_sessions} of ${SESSIONS_NEEDED} sessions that a verdict needs.`,
    no_draws: "No random entries to compare with yet.",
    not_entered: "None was entered: a stop order waits for its price.",
  }[row.verdict]
  const line = element("p", { className: "verdict", textContent: text, testId: "verdict" })
  line.dataset.verdict = row.verdict
  const { difference_points: apart, difference_low: low, difference_high: high } = row
  if (apart !== null)
    line.append(element("small", {
      textContent: ` ${format.signedPrice(apart)} points a signal` +
        (low === null || high === null ? ""
          : ` (${format.signedPrice(low)} to ${format.signedPrice(high)})`) +
        `, n = ${format.count(row.matched_n)} in ${row.matched_sessions} sessions`,
    }))
  line.title = "Mean return of a signal less that of its own random entries, with its 95 % " +
    `interval by session. The verdict allows for ${row.comparisons} comparisons: versions of the ` +
    "strategy by horizons."
  return line
}

/** What it came to in points and rupees, and what is missing. @param {Stats} row */
function money(row) {
  const list = element("dl", { className: "money", testId: "money" })
  /** @param {string} name @param {string | null} value @param {string} [title] */
  const fact = (name, value, title = "") => {
    if (value === null) return
    const box = element("div")
    box.title = title
    box.append(element("dt", { textContent: name }), element("dd", { textContent: value }))
    list.append(box)
  }
  fact("total", points(row.total_points, row.total_rupees), "One lot in every signal")
  fact("median", points(row.median_return_points, null))
  fact("won/lost", row.profit_factor?.toFixed(2) ?? null, "Profit factor")
  fact("drawdown", points(row.drawdown_points, row.drawdown_rupees, format.price),
    "Deepest fall of the equity below its highest point")
  fact("worst run", points(row.worst_run_points, row.worst_run_rupees, format.price),
    `Most lost in trades one after the other; at most ${row.losing_run} lost in a row`)
  if (row.hits_that_lost)
    fact("hits that lost", `${row.hits_that_lost} of ${row.hits}`, "After costs")
  if (row.n_missing)
    fact("missing", `${row.n_missing}: hit rate ${percent(row.hit_rate_if_lost ?? 0)} to ` +
      percent(row.hit_rate_if_won ?? 0), "If all of them had lost, and if all had been hits")
  return list
}

/**
 * `+12.50 (\u20b9813)`.
 * @param {number | null} value
 * @param {number | null} rupees
 * @param {(value: number) => string} [form]
 */
const points = (value, rupees, form = format.signedPrice) => (value === null ? null
  : form(value) + (rupees === null ? "" : ` (\u20b9${format.count(Math.round(rupees))})`))

/** @param {Stats} row */
function means(row) {
  const table = element("table", { className: "means", testId: "means" })
  table.createTHead().insertRow().append(
    ...["Mean, points", "Return", "MFE", "MAE"].map((textContent, i) =>
      element("th", { textContent, className: i ? "num" : "" })))
  const body = table.createTBody()
  /** @type {[string, number | null, number | null, number | null][]} */
  const lines = [
    ["Signals", row.mean_return_points, row.mean_mfe_points, row.mean_mae_points],
    ["Random", row.random_mean_return_points, row.random_mean_mfe_points,
      row.random_mean_mae_points],
  ]
  for (const [name, gain, most, least] of lines)
    body.insertRow().append(
      element("td", { textContent: name, className: "muted" }),
      element("td", {
        textContent: format.signedPrice(gain), className: `num ${format.tone(gain)}`,
      }),
      element("td", { textContent: format.price(most), className: "num" }),
      element("td", { textContent: format.price(least), className: "num" }))
  return table
}
