import { byId, element } from "../lib/dom.js"
import * as format from "../lib/format.js"

/**
 * The menu that a candle has in a replay: a right click, or a long press, offers to start there.
 * @param {() => number | null} pointed open time of the candle under the pointer
 * @param {(time: number) => void} start
 */
export function createStartHere(pointed, start) {
  const menu = element("div", { className: "menu", testId: "start-menu" })
  const button = element("button", { testId: "start-here" })
  button.type = "button"
  menu.append(button)
  menu.popover = "auto"
  Object.assign(menu.style, { margin: "0", padding: "4px", inset: "auto" })
  document.body.append(menu)

  byId("charts").addEventListener("contextmenu", (event) => {
    const time = pointed()
    if (time === null) return
    event.preventDefault()
    button.textContent = `Start here, ${format.dayMonth(time)} ${format.minute(time)}`
    button.onclick = () => {
      menu.hidePopover()
      start(time)
    }
    menu.style.left = `${Math.min(event.clientX, innerWidth - 200)}px`
    menu.style.top = `${Math.min(event.clientY, innerHeight - 48)}px`
    menu.showPopover()
  })
  return () => {
    const time = pointed()
    if (time !== null) start(time)
  }
}
