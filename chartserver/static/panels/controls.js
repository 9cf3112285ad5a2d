import { byId, control, element } from "../lib/dom.js"

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
 * A button that is pressed or not.
 * @param {string} id
 * @param {(pressed: boolean) => void} onToggle
 */
export function createToggle(id, onToggle) {
  const button = byId(id)
  /** @param {boolean} pressed */
  const show = (pressed) => button.setAttribute("aria-pressed", String(pressed))
  button.onclick = () => {
    const pressed = button.getAttribute("aria-pressed") !== "true"
    show(pressed)
    onToggle(pressed)
  }
  return { show }
}

/**
 * Boxes to tick in a popover, under the button `ID-toggle` that opens it.
 * @param {string} id of the popover; each box says its value in `data-value`
 * @param {(values: Set<string>) => void} onPick
 */
export function createChecks(id, onPick) {
  const popover = byId(id)
  const boxes = [...popover.querySelectorAll("input")]
  const values = () => new Set(
    boxes.filter((box) => box.checked).map((box) => box.dataset.value ?? ""))
  popover.onchange = () => onPick(values())
  popover.addEventListener("toggle", () => placeUnder(popover, byId(`${id}-toggle`)))
  return {
    /** @param {ReadonlySet<string>} chosen */
    show(chosen) {
      for (const box of boxes) box.checked = chosen.has(box.dataset.value ?? "")
    },
  }
}

/**
 * Put an opened popover under a control, inside the window.
 * @param {HTMLElement} popover
 * @param {Element} control
 */
function placeUnder(popover, control) {
  const { left, bottom } = control.getBoundingClientRect()
  const most = innerWidth - popover.offsetWidth - 8
  popover.style.left = `${Math.max(8, Math.min(left, most))}px`
  popover.style.top = `${bottom + 4}px`
}

/**
 * An entry of a drop-down list; neighbours of one group stand under its name.
 * @typedef {object} Option
 * @property {string} value
 * @property {string} text
 * @property {string} [group]
 * @property {boolean} [meant] what the automatic entry stands for now
 */

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
     * @param {Option[]} options
     * @param {string} value
     */
    show(options, value) {
      const key = JSON.stringify(options)
      if (key !== built) {
        built = key
        select.replaceChildren(...grouped(options))
      }
      if (select.value !== value) select.value = value
    },
  }
}

/** @param {Option[]} options */
function grouped(options) {
  /** @type {HTMLElement[]} */
  const made = []
  for (const { value, text, group, meant } of options) {
    const entry = Object.assign(element("option"), { value, textContent: text })
    if (meant) entry.dataset.meant = ""
    const last = made[made.length - 1]
    if (!group) made.push(entry)
    else if (last instanceof HTMLOptGroupElement && last.label === group) last.append(entry)
    else {
      const head = Object.assign(element("optgroup"), { label: group })
      head.append(entry)
      made.push(head)
    }
  }
  return made
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
