import { byId, control, element } from "../lib/dom.js"
import { keyTable } from "../lib/keys.js"
import { registerMarkedKeys } from "./shortcuts.js"

/** How keys are called on the keyboard, where their name is not what is printed there. */
const PRINTED = /** @type {Record<string, string>} */ ({
  ArrowLeft: "\u2190", ArrowRight: "\u2192", ArrowUp: "\u2191", ArrowDown: "\u2193",
  PageUp: "Page up", PageDown: "Page down", "-": "\u2212",
})

/** The overlay of all keys, written from what is registered; and the keys of the markup. */
export function createHelp() {
  registerMarkedKeys()
  const dialog = control("help-dialog", HTMLDialogElement)
  byId("help").onclick = () => {
    byId("help-keys").replaceChildren(
      element("h3", { textContent: "Keys" }), element("dl"))
    byId("help-keys").lastElementChild?.append(...keyTable().flatMap(entry))
    dialog.showModal()
  }
  byId("help-close").onclick = () => dialog.close()
  dialog.onclick = ({ target }) => target === dialog && dialog.close()
  dialog.onkeydown = (event) => {
    if (event.key !== "?") return
    event.preventDefault()
    dialog.close()
  }
}

/** @param {{keys: readonly string[], does: string}} action */
function entry({ keys, does }) {
  const term = element("dt", { testId: "help-key" })
  keys.forEach((key, i) => {
    if (i) term.append(" or ")
    key.split(/(?<=.)\+/).forEach((part, n) => {
      if (n) term.append(" ")
      term.append(element("kbd", { textContent: PRINTED[part] ?? part.toUpperCase() }))
    })
  })
  return [term, element("dd", { textContent: does })]
}
