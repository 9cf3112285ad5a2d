import { byId, control, element } from "../lib/dom.js"
import * as format from "../lib/format.js"

/**
 * Buttons of which one is pressed, such as the intervals.
 * @param {string} id of their group; each button says its value in `data-value`
 * @param {(value: string) => void} onPick
 */
export function createSwitch(id, onPick) {
  const buttons = [...byId(id).querySelectorAll("button")]
  /** @param {string} value */
  const show = (value) => {
    for (const button of buttons)
      button.setAttribute("aria-pressed", String(button.dataset.value === value))
  }
  for (const button of buttons)
    button.onclick = () => {
      show(button.dataset.value ?? "")
      onPick(button.dataset.value ?? "")
    }
  return { show }
}

/**
 * A drop-down list. Options are rebuilt only when they differ, so that an open list stays open.
 * @param {string} id
 * @param {(value: string) => void} onPick
 */
export function createSelect(id, onPick) {
  const select = control(id, HTMLSelectElement)
  let built = ""
  select.onchange = () => onPick(select.value)
  return {
    /**
     * @param {{value: string, text: string}[]} options
     * @param {string} value
     */
    show(options, value) {
      const key = JSON.stringify(options)
      if (key !== built) {
        built = key
        select.replaceChildren(
          ...options.map((option) =>
            Object.assign(element("option"), { value: option.value, textContent: option.text })))
      }
      if (select.value !== value) select.value = value
    },
  }
}

/**
 * Options of the strike list: automatic first, then the listed strikes, ATM named.
 * @param {readonly number[]} strikes
 * @param {number | null} atm
 * @param {number | null} fixed kept in the list even when it is not listed any more
 * @param {string} automatic
 */
export function strikeOptions(strikes, atm, fixed, automatic) {
  const all = [...strikes]
  if (fixed !== null && !all.includes(fixed)) all.push(fixed)
  return [
    { value: "", text: automatic },
    ...all.sort((a, b) => a - b).map((strike) => ({
      value: String(strike),
      text: strike === atm ? `${format.count(strike)} \u2022 ATM` : format.count(strike),
    })),
  ]
}

/**
 * A panel that can be folded away.
 * @param {string} id
 * @param {(open: boolean) => void} onToggle
 */
export function createFold(id, onToggle) {
  const button = byId(`${id}-toggle`)
  /** @param {boolean} open */
  const show = (open) => {
    byId(id).hidden = !open
    byId(`${id}-panel`).classList.toggle("folded", !open)
    button.setAttribute("aria-expanded", String(open))
  }
  button.onclick = () => {
    const open = byId(id).hidden
    show(open)
    onToggle(open)
  }
  return { show }
}
