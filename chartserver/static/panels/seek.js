/** @import { Signal } from "../data/types.js" */
/** @import { Timeline } from "../data/timeline.js" */
import { byId, control, element, setText } from "../lib/dom.js"
import * as format from "../lib/format.js"
import { strategyTitle } from "../data/strategies.js"

/** Pixels between two labels. */
const LABEL_GAP = 4

/**
 * The slider under the charts, with the sessions and the signals marked on it.
 * @param {(time: number) => void} onSeek
 */
export function createSeek(onSeek) {
  const slider = control("seek", HTMLInputElement)
  const marks = byId("seek-marks")
  /** @type {Timeline | null} */
  let timeline = null
  slider.oninput = () => timeline && onSeek(timeline.timeAt(Number(slider.value)))

  let marked = ""
  new ResizeObserver(() => fitLabels(marks)).observe(marks)

  return {
    /** Another range. @param {Timeline} next */
    load(next) {
      timeline = next
      marked = ""
      slider.max = String(next.length)
      slider.disabled = next.length === 0
    },
    /**
     * Write where the clock is, and mark what was known by then: no signal of later.
     * @param {number} time
     * @param {readonly Signal[]} signals known ones; the same array as long as nothing changed
     */
    show(time, signals) {
      if (!timeline) return
      slider.value = String(timeline.offsetOf(time))
      setText(byId("replay-time"), format.second(time))
      slider.setAttribute("aria-valuetext", `${format.longDay(time)} ${format.second(time)} IST`)
      const standing = signals.filter((signal) => !signal.withdrawn)
      const key = standing.map((signal) => `${signal.signal_id} ${signal.known_at}`).join()
      if (marked === `marked ${key}`) return
      marked = `marked ${key}`
      markAll(timeline, standing)
    },
  }

  /** @param {Timeline} line @param {Signal[]} signals */
  function markAll(line, signals) {
    marks.replaceChildren(
      ...hours(line).map(({ time, text }) => mark(line, time, "hour", text)),
      ...line.sessions.map(({ from }) => mark(line, from, "session", format.dayMonth(from))),
      ...signals.map((signal) => {
        const made = mark(line, signal.known_at, `signal ${signal.direction.toLowerCase()}`, "")
        const what = `${strategyTitle(signal)} ${signal.direction}`
        made.title = `${what} ${format.minute(signal.event_time)}`
        made.dataset.testid = "seek-signal"
        return made
      }))
    fitLabels(marks)
  }
}

/**
 * Leave out what would be written over another label or out of the line: sessions come before hours.
 * @param {HTMLElement} marks
 */
function fitLabels(marks) {
  const end = marks.getBoundingClientRect().right + LABEL_GAP
  /** @type {DOMRect[]} */
  const taken = []
  for (const label of [...marks.querySelectorAll(".session"), ...marks.querySelectorAll(".hour")]) {
    const place = label.getBoundingClientRect()
    const fits = place.right <= end && taken.every(({ left, right }) =>
      place.right + LABEL_GAP <= left || right + LABEL_GAP <= place.left)
    label.classList.toggle("crowded", !fits)
    if (fits) taken.push(place)
  }
}

/**
 * @param {Timeline} timeline
 * @param {number} time
 * @param {string} className
 * @param {string} text
 */
function mark(timeline, time, className, text) {
  const made = element("span", { className: `mark ${className}`, textContent: text })
  made.style.left = `${(timeline.offsetOf(time) / Math.max(1, timeline.length)) * 100}%`
  return made
}

/** Full hours in India, while there is room for them. @param {Timeline} timeline */
function hours(timeline) {
  if (timeline.sessions.length > 2) return []
  return timeline.sessions.flatMap(({ from, to }) => {
    const found = []
    // India's hours begin at half past in UTC.
    for (let time = Math.ceil((from - 1800) / 3600) * 3600 + 1800; time < to; time += 3600)
      if (time - from > 1500) found.push({ time, text: format.minute(time) })
    return found
  })
}
