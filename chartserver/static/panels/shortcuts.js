import { byId } from "../lib/dom.js"
import { registerKeys } from "../lib/keys.js"

/**
 * Register the keys that the markup names, so that a control and its key stand in one place:
 * `data-hotkey="n"` presses a button or link, on a group of buttons the next of them, and brings the
 * focus to anything else; `data-hotkey-next` and `data-hotkey-previous` step through a list. `data-does`
 * says what it does where the control's own name does not.
 */
export function registerMarkedKeys() {
  for (const node of document.querySelectorAll("[data-hotkey], [data-hotkey-next]")) {
    if (!(node instanceof HTMLElement)) continue
    const { hotkey, hotkeyNext, hotkeyPrevious, does, doesNext, doesPrevious } = node.dataset
    const name = nameOf(node)
    if (hotkey) add(node, hotkey, does ?? name, () => act(node))
    if (!(node instanceof HTMLSelectElement)) continue
    if (hotkeyNext) add(node, hotkeyNext, doesNext ?? `${name}: next`, () => step(node, 1))
    if (hotkeyPrevious)
      add(node, hotkeyPrevious, doesPrevious ?? `${name}: previous`, () => step(node, -1))
  }
}

/**
 * @param {HTMLElement} node
 * @param {string} names
 * @param {string} does
 * @param {() => void} run
 */
function add(node, names, does, run) {
  const keys = names.split(" ")
  registerKeys([{ keys, does, run }])
  const before = node.getAttribute("aria-keyshortcuts")
  node.setAttribute("aria-keyshortcuts", [...(before ? [before] : []), ...keys].join(" "))
}

/** @param {HTMLElement} node */
const nameOf = (node) => node.getAttribute("aria-label") ?? node.textContent?.trim() ?? ""

/** @param {HTMLElement} node */
function act(node) {
  if (node.matches("button, a")) {
    if (node.checkVisibility()) node.click()
  } else if (node.matches(".switch")) {
    const buttons = [...node.querySelectorAll("button")]
    const pressed = buttons.findIndex((one) => one.getAttribute("aria-pressed") === "true")
    buttons[(pressed + 1) % buttons.length].click()
  } else {
    // A folded panel opens first.
    if (node.hidden) byId(`${node.id}-toggle`).click()
    node.focus()
  }
}

/**
 * Choose the next option. The automatic one, which is first and has no value, is left from the
 * option that it stands for.
 * @param {HTMLSelectElement} select
 * @param {number} by
 */
function step(select, by) {
  const options = [...select.options]
  const meant = options.findIndex((option) => "meant" in option.dataset)
  const from = select.value === "" && meant >= 0 ? meant : select.selectedIndex
  const next = options[from + by]
  if (!next || select.disabled || next.value === "") return
  select.value = next.value
  select.dispatchEvent(new Event("change", { bubbles: true }))
}
