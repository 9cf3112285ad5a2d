/** @import { Distribution, Stats, VersionCount } from "../data/types.js" */
import { byId, element } from "../lib/dom.js"
import * as format from "../lib/format.js"
import { drawHistogram } from "./histogram.js"
import { horizonText } from "../data/horizons.js"
import { strategyLetter, strategyName } from "../data/strategies.js"

/**
 * What signals came to, one card per strategy and version, always beside random entries.
 * @param {VersionCount[]} versions those on show
 * @param {Stats[]} stats
 * @param {Distribution[]} distributions
 * @param {number} horizon
 */
export function showSummary(versions, stats, distributions, horizon) {
  byId("summary").replaceChildren(...versions.map((version) => {
    /** @param {{strategy: string, version: string}} other */
    const same = (other) => other.strategy === version.strategy && other.version === version.version
    const row = stats.find((one) => same(one) && one.horizon_minutes === horizon)
    return card(version, row, distributions.find(same), horizon)
  }))
}

/**
 * @param {VersionCount} version
 * @param {Stats | undefined} row
 * @param {Distribution | undefined} distribution
 * @param {number} horizon
 */
function card(version, row, distribution, horizon) {
  const box = element("article", { className: "panel card", testId: "summary-card" })
  box.dataset.strategy = version.strategy
  const title = element("h2")
  title.append(
    element("i", { className: "letter", textContent: strategyLetter(version.strategy) }),
    strategyName(version.strategy),
    element("small", { textContent: `version ${version.version}` }))
  box.append(title)
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
    means(row))
  const halves = element("div", { className: "halves" })
  halves.append(numbers)
  if (distribution?.bins.length) halves.append(drawHistogram(distribution, horizonText(horizon)))
  box.append(halves)
  return box
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
  if (value === null || low === null || high === null) {
    line.append(element("span", { className: "muted", textContent: "none yet" }))
    return line
  }
  const track = element("span", { className: "track" })
  const range = element("i")
  range.style.left = `${low * 100}%`
  range.style.width = `${(high - low) * 100}%`
  const dot = element("b")
  dot.style.left = `${value * 100}%`
  track.append(range, dot)
  const said = element("span", { className: "said" })
  said.append(
    element("b", { textContent: percent(value) }),
    ` hit (${percent(low)} to ${percent(high)}), n = ${format.count(n)}`,
    all > n ? ` of ${format.count(all)}` : "")
  line.title = "Hit: target 1 before the stop. In brackets the 95 % Wilson interval." +
    (all > n ? ` ${format.count(all - n)} of ${format.count(all)} were not entered.` : "")
  line.append(said, track)
  return line
}

/** Say no more than the numbers do. @param {Stats} row */
function verdict(row) {
  const { hit_rate_low: low, hit_rate_high: high } = row
  const { random_hit_rate_low: least, random_hit_rate_high: most } = row
  const [text, tone] =
    low === null || high === null ? ["None was entered: a stop order waits for its price.", "unknown"]
      : least === null || most === null ? ["No random entries to compare with yet.", "unknown"]
      : low > most ? ["Hit more often than random entries of the same sessions.", "more"]
        : high < least ? ["Hit less often than random entries of the same sessions.", "less"]
          : ["Not distinguishable from random entries: the intervals overlap.", "same"]
  const line = element("p", { className: "verdict", textContent: text, testId: "verdict" })
  line.dataset.verdict = tone
  return line
}

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
