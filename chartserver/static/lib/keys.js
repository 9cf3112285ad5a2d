/**
 * Keyboard of the replay. Keys typed into lists and buttons keep their own meaning.
 * @param {Record<string, () => void>} actions by `KeyboardEvent.key`
 */
export function listenKeys(actions) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return
    const target = event.target instanceof HTMLElement ? event.target : null
    if (target?.matches("select, textarea, input:not([type=range])")) return
    if (event.key === " " && target?.matches("button, a")) return
    const action = actions[event.key]
    if (!action) return
    event.preventDefault()
    action()
  })
}
