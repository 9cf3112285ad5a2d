/** @import { Column } from "./columns.js" */
/** @import { JudgedSignal } from "../data/types.js" */
import { COLUMNS, outcomeAt } from "./columns.js"
import { byId, element, setText } from "../lib/dom.js"
import { explainSignal } from "./reasons.js"
import { earlierRevisions } from "./revisions.js"

/** More rows at once would only slow the page. */
const ROWS_AT_ONCE = 300

/**
 * The table of signals: sorted by a heading, a row opens to its reasons.
 * @param {string} sort `return_points` or, descending, `-return_points`
 * @param {(sort: string) => void} onSort
 */
export function createResults(sort, onSort) {
  const head = byId("result-head")
  const body = byId("result-rows")
  const more = byId("result-more")
  /** @type {JudgedSignal[]} */
  let signals = []
  let horizon = 15
  let limit = ROWS_AT_ONCE
  /** @type {Set<string>} opened rows, by signal */
  const opened = new Set()

  more.onclick = () => {
    limit += ROWS_AT_ONCE
    draw()
  }

  /** @param {Column} column @param {JudgedSignal} signal */
  const valueOf = (column, signal) => column.value(signal, outcomeAt(signal, horizon))

  /** @returns {Column[]} */
  const columns = () =>
    COLUMNS.filter((column) => !column.optional || signals.some((s) => valueOf(column, s) !== null))

  function sorted() {
    const down = sort.startsWith("-")
    const column = COLUMNS.find(({ key }) => key === sort.replace("-", "")) ?? COLUMNS[0]
    const rows = signals.map((signal) => ({ signal, value: valueOf(column, signal) }))
    // What has no value stays last, whichever way the others go.
    return rows.sort((a, b) =>
      a.value === null || b.value === null ? Number(a.value === null) - Number(b.value === null)
        : compare(a.value, b.value) * (down ? -1 : 1) || b.signal.event_time - a.signal.event_time)
      .map(({ signal }) => signal)
  }

  function drawHead() {
    const [key, order] = sort.startsWith("-") ? [sort.slice(1), "descending"] : [sort, "ascending"]
    const shown = columns()
    const names = shown.map((column) => column.key).join()
    if (head.dataset.columns !== names) {
      head.dataset.columns = names
      const why = element("th", { className: "toggle" })
      why.append(element("span", { className: "unseen", textContent: "Reasons" }))
      head.replaceChildren(why, ...shown.map(heading))
    }
    for (const cell of head.querySelectorAll("th[data-key]"))
      if (cell instanceof HTMLElement)
        cell.setAttribute("aria-sort", cell.dataset.key === key ? order : "none")
  }

  /** @param {Column} column */
  function heading(column) {
    const cell = element("th", { className: column.numeric ? "num" : "", title: column.hint ?? "" })
    cell.dataset.key = column.key
    const button = element("button", { textContent: column.label, testId: `sort-${column.key}` })
    button.type = "button"
    button.onclick = () => {
      // Numbers and times are asked for largest first.
      const [first, second] = column.numeric ? [`-${column.key}`, column.key]
        : [column.key, `-${column.key}`]
      sort = sort === first ? second : first
      onSort(sort)
      draw()
    }
    cell.append(button)
    return cell
  }

  /** @param {JudgedSignal} signal @param {Column[]} shown */
  function row(signal, shown) {
    const outcome = outcomeAt(signal, horizon)
    const line = element("tr", { testId: "result-row" })
    line.dataset.signalId = signal.signal_id
    line.classList.toggle("withdrawn", Boolean(signal.withdrawn))
    const button = element("button", { className: "fold", testId: "expand" })
    button.type = "button"
    button.setAttribute("aria-label", "Why this signal")
    const first = element("td", { className: "toggle" })
    first.append(button)
    line.append(first, ...shown.map((column) => {
      const tone = column.tone?.(signal, outcome) ?? ""
      const cell = element("td", { className: `${column.numeric ? "num " : ""}${tone}` })
      cell.append(column.show(signal, outcome))
      return cell
    }))
    const toggle = () => {
      const open = !opened.has(signal.signal_id)
      if (open) opened.add(signal.signal_id)
      else opened.delete(signal.signal_id)
      unfold(line, button, signal, shown.length + 1)
    }
    line.onclick = (event) => {
      const target = event.target instanceof Element ? event.target : null
      // A link goes where it leads, and text that is being marked is not a click.
      if (!target?.closest("a") && !getSelection()?.toString()) toggle()
    }
    return { line, button, signal }
  }

  /**
   * @param {HTMLTableRowElement} line
   * @param {HTMLButtonElement} button
   * @param {JudgedSignal} signal
   * @param {number} width
   */
  function unfold(line, button, signal, width) {
    const open = opened.has(signal.signal_id)
    button.setAttribute("aria-expanded", String(open))
    const next = line.nextElementSibling
    if (next?.classList.contains("opened")) next.remove()
    if (!open) return
    const extra = element("tr", { className: "opened" })
    const cell = element("td")
    cell.colSpan = width
    cell.append(explainSignal(signal), earlierRevisions(signal))
    extra.append(cell)
    line.after(extra)
  }

  function draw() {
    drawHead()
    const shown = columns()
    const rows = sorted().slice(0, limit).map((signal) => row(signal, shown))
    body.replaceChildren(...rows.map(({ line }) => line))
    for (const { line, button, signal } of rows) unfold(line, button, signal, shown.length + 1)
    const left = signals.length - rows.length
    more.hidden = left === 0
    setText(more, `Show ${Math.min(left, ROWS_AT_ONCE)} more of ${left}`)
  }

  return {
    /** @param {JudgedSignal[]} next @param {number} minutes the horizon of the outcomes */
    show(next, minutes) {
      if (next !== signals) limit = ROWS_AT_ONCE
      signals = next
      horizon = minutes
      draw()
    },
    sorted,
  }
}

/** @param {string | number} a @param {string | number} b */
const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0)
