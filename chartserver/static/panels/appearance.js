/** @import { Settings } from "../lib/settings.js" */
import { createSwitch } from "./controls.js"
import { byId } from "../lib/dom.js"
import { getSetting, setSetting } from "../lib/settings.js"

/**
 * The theme: as the system, light or dark; remembered. A line in the markup's head applies it before
 * anything is painted. Also the button that shows the rest of the controls on a phone.
 * @param {() => void} onChange other colours hold now
 */
export function createAppearance(onChange) {
  const theme = createSwitch("theme", (value) => {
    const chosen = /** @type {Settings["theme"]} */ (value)
    setSetting("theme", chosen === "auto" ? null : chosen)
    apply(chosen)
    onChange()
  })
  theme.show(apply(getSetting("theme") ?? "auto"))
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", onChange)
  // Another tab of this browser chose.
  addEventListener("storage", () => {
    theme.show(apply(getSetting("theme") ?? "auto"))
    onChange()
  })

  const more = byId("more")
  more.onclick = () => {
    const opened = byId("tools").classList.toggle("opened")
    more.setAttribute("aria-expanded", String(opened))
  }
}

/** @param {Settings["theme"]} theme */
function apply(theme) {
  if (theme === "auto") delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = theme
  return theme
}
