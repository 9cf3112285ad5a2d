/** @import { Signal } from "../data/types.js" */
/** @import { Timeline } from "../data/timeline.js" */
import { byId, control, element } from "../lib/dom.js"
import * as format from "../lib/format.js"
import { strategyTitle } from "../data/strategies.js"

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

  return {
    /**
     * @param {Timeline} next
     * @param {Signal[]} signals
     */
    load(next, signals) {
      timeline = next
      slider.max = String(next.length)
      slider.disabled = next.length === 0
      marks.replaceChildren(
        ...hours(next).map(({ time, text }) => mark(next, time, "hour", text)),
        ...next.sessions.map(({ from }) => mark(next, from, "session", format.dayMonth(from))),
        ...signals.filter((signal) => !signal.withdrawn).map((signal) => {
          const made = mark(next, signal.known_at, `signal ${signal.direction.toLowerCase()}`, "")
          const what = `${strategyTitle(signal)} ${signal.direction}`
          made.title = `${what} ${format.minute(signal.event_time)}`
          made.dataset.testid = "seek-signal"
          return made
        }))
    },
    /** @param {number} time */
    show(time) {
      if (!timeline) return
      slider.value = String(timeline.offsetOf(time))
      slider.setAttribute("aria-valuetext", `${format.longDay(time)} ${format.second(time)} IST`)
    },
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
