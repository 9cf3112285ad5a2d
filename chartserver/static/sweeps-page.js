/** @import { Holdout, ListedSweep, Shown, SweepAnswer, Value } from "./data/sweeps.js" */
import { ApiError, getJson } from "./data/api.js"
import { horizonText } from "./data/horizons.js"
import { SWEEPS_PARAMETERS } from "./data/parameters.js"
import { strategyName } from "./data/strategies.js"
import { axes, inPlane, nameText, steps, valuesText } from "./data/sweeps.js"
import { byId, element, setText } from "./lib/dom.js"
import * as format from "./lib/format.js"
import { writeLocation } from "./lib/location.js"
import { complaintText, readParameters } from "./lib/parameters.js"
import { createAppearance } from "./panels/appearance.js"
import { createSelect, createSwitch } from "./panels/controls.js"
import { showHeatMap } from "./panels/heat-map.js"
import { createHelp } from "./panels/help.js"
import { showBanner } from "./panels/notice.js"
import { carriedFrom, linkPages } from "./panels/pages.js"
import { showCards } from "./panels/sweep-cards.js"
import { showWindows } from "./panels/sweep-windows.js"

const { values: given, complaints } = readParameters(SWEEPS_PARAMETERS)
const choice = {
  sweep: given.sweep,
  x: given.x,
  y: given.y,
  /** @type {Record<string, string>} */
  fix: Object.fromEntries((given.fix ?? "").split(",").filter(Boolean)
    .map((/** @type {string} */ pair) => pair.split(":"))),
  shown: /** @type {Shown} */ (given.show ?? "mean"),
}
/** @type {ListedSweep[]} */
let listed = []
/** @type {Holdout} */
let holdout = { sessions: 0, first: null, last: null, verdicts: [] }
/** @type {SweepAnswer | null} */
let loaded = null
/** @type {AbortController | null} */
let request = null

const sweeps = createSelect("sweep", (number) => {
  Object.assign(choice, { sweep: Number(number), x: null, y: null, fix: {} })
  writeLocation({ sweep: number, x: null, y: null, fix: null })
  void load()
})
const shown = createSwitch("shown", (value) => {
  choice.shown = /** @type {Shown} */ (value)
  writeLocation({ show: value === "mean" ? null : value })
  draw()
})

async function open() {
  linkPages(carriedFrom(new URLSearchParams(location.search)))
  shown.show(choice.shown)
  try {
    const answer = await getJson("/api/sweeps", {})
    listed = answer.sweeps
    holdout = answer.holdout
  } catch (error) {
    return failed(error)
  }
  if (listed.length || choice.sweep) return load()
  byId("nothing").hidden = false
  setText(byId("nothing-text"), "No sweep is stored yet. To try combinations of numbers: optionscalp " +
    "sweep --strategy delta_volume --set spike_factor=1.5,2,3 --set wings=1,2 --from DATE --to DATE " +
    "--walk-forward 40,10")
}

async function load() {
  request?.abort()
  const mine = new AbortController()
  request = mine
  byId("research").setAttribute("aria-busy", "true")
  try {
    loaded = await getJson("/api/sweeps/result", { sweep_id: choice.sweep }, mine.signal)
    showBanner(complaintText(complaints))
    draw()
  } catch (error) {
    if (!mine.signal.aborted) failed(error)
  } finally {
    if (request === mine) byId("research").removeAttribute("aria-busy")
  }
}

/** @param {unknown} error */
function failed(error) {
  if (!(error instanceof ApiError)) console.error(error)
  showBanner(error instanceof Error ? error.message : String(error))
}

/** @param {ListedSweep} one */
const nameOf = (one) =>
  `${one.sweep_id} \u2022 ${strategyName(one.strategy)}, ${one.combinations} on ${one.sessions} sessions ` +
  `to ${format.dateText(one.last_session)}${one.fit_sessions ? ", walked" : ""}`

function draw() {
  if (!loaded) return
  const { sweep, results, walk_forward: walk } = loaded
  const known = listed.some(({ sweep_id: id }) => id === sweep.sweep_id)
  sweeps.show([...listed, ...(known ? [] : [sweep])].map((one) =>
    ({ value: String(one.sweep_id), text: nameOf(one) })), String(sweep.sweep_id))
  const names = axes(sweep.grid)
  const x = names.find((name) => name === choice.x) ?? names[0]
  const y = names.find((name) => name === choice.y && name !== x) ?? names.find((name) => name !== x) ?? null
  const fixed = fixedValues(names.filter((name) => name !== x && name !== y))
  drawAxes(names, x, y, fixed)
  showCards(loaded, holdout)
  byId("heat-panel").hidden = false
  const held = valuesText(fixed)
  setText(byId("heat-title"), `${names.map(nameText).join(", ")}: ${results.length} combinations` +
    (held ? `, on show those with ${held}` : ""))
  showHeatMap({
    x, columns: steps(sweep.grid[x]), y, rows: y ? steps(sweep.grid[y]) : [null],
    results: inPlane(results, fixed), shown: choice.shown, best: sweep.best_version,
  })
  setText(byId("heat-note"), `Outcomes ${horizonText(sweep.horizon_minutes)}. Beside: the mean of the ` +
    "combinations one step of one number away. A value that stands alone among worse ones is luck. " +
    "Outlined: the best by its sessions.")
  showWindows(walk, results)
}

/** Values of the numbers that are not on the axes: as chosen, else the best combination's. @param {string[]} names */
function fixedValues(names) {
  const best = loaded?.results.find(({ version }) => version === loaded?.sweep.best_version) ??
    loaded?.results[0]
  /** @type {Record<string, Value>} */
  const fixed = {}
  for (const name of names) {
    const all = steps(loaded?.sweep.grid[name] ?? [])
    fixed[name] = all.find((value) => String(value) === choice.fix[name]) ?? best?.values[name] ?? all[0]
  }
  return fixed
}

/**
 * Lists of what lies across and down, and of the values of all other numbers.
 * @param {string[]} names
 * @param {string} x
 * @param {string | null} y
 * @param {Record<string, Value>} fixed
 */
function drawAxes(names, x, y, fixed) {
  const box = byId("axes")
  if (names.length < 2) return box.replaceChildren()
  const focused = document.activeElement?.id ?? ""
  box.replaceChildren(
    list("x", "Across", names.map(String), x, nameText, (value) => choose({ x: value, y: value === y ? x : y })),
    list("y", "Down", names.filter((name) => name !== x), y ?? "", nameText, (value) => choose({ x, y: value })),
    ...Object.entries(fixed).map(([name, value]) =>
      list(`fix-${name}`, nameText(name), steps(loaded?.sweep.grid[name] ?? []).map(String), String(value), String,
        (picked) => choose({ x, y, fix: { ...choice.fix, [name]: picked } }))))
  // The list that was just used is another element now.
  if (focused && !byId("tools").contains(document.activeElement)) document.getElementById(focused)?.focus()
}

/**
 * @param {string} id
 * @param {string} label
 * @param {string[]} values
 * @param {string} value
 * @param {(value: string) => string} text
 * @param {(value: string) => void} onPick
 */
function list(id, label, values, value, text, onPick) {
  const made = element("label", { textContent: `${label} ` })
  const select = element("select", { testId: id })
  select.id = id
  select.append(...values.map((one) =>
    Object.assign(element("option", { textContent: text(one) }), { value: one })))
  select.value = value
  select.onchange = () => onPick(select.value)
  made.append(select)
  return made
}

/** @param {Partial<typeof choice>} values */
function choose(values) {
  Object.assign(choice, values)
  const fix = Object.entries(choice.fix).map((pair) => pair.join(":")).join(",")
  writeLocation({ x: choice.x, y: choice.y, fix })
  draw()
}

createHelp()
createAppearance(() => {})
void open()
