/**
 * Something that keys do. Keys are named as in `KeyboardEvent.key`; `Space` is the space bar, and
 * `Shift+ArrowLeft` names the shift key where the key itself does not change with it.
 * @typedef {object} KeyAction
 * @property {readonly string[]} keys
 * @property {string} does for people: what the help says
 * @property {() => void} run
 */

/** Held down, these act again and again; others once. */
const REPEATED = /^(Shift\+)?(Arrow|Page)|^[+-]$/
const SCROLLS = ["PageUp", "PageDown", "Home", "End", "ArrowUp", "ArrowDown"]

/** @type {KeyAction[]} */
const table = []
/** @type {Map<string, KeyAction>} */
const actions = new Map()

/**
 * Give keys their meaning on this page.
 * @param {readonly KeyAction[]} more
 * @throws {Error} a key has one already
 */
export function registerKeys(more) {
  if (!table.length) document.addEventListener("keydown", press)
  for (const action of more) {
    for (const key of action.keys) {
      const other = actions.get(key)
      if (other) throw new Error(`the key ${key} does two things: ${other.does}; ${action.does}`)
      actions.set(key, action)
    }
    table.push(action)
  }
}

/** All that keys do on this page, in the order in which it was registered. */
export const keyTable = () => table.map(({ keys, does }) => ({ keys, does }))

/** @param {KeyboardEvent} event */
function press(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return
  const key = nameOf(event)
  const action = actions.get(key)
  if (!action || (event.repeat && !REPEATED.test(key)) || isTaken(event.target, key)) return
  event.preventDefault()
  action.run()
}

/** @param {KeyboardEvent} event */
function nameOf({ key, shiftKey }) {
  if (key === " ") return "Space"
  // A sign such as `?` is itself, whichever keys make it; caps lock changes no letter's meaning.
  if (key.length === 1) return shiftKey ? key : key.toLowerCase()
  return shiftKey ? `Shift+${key}` : key
}

/**
 * Whether the focused element has its own use for a key.
 * @param {EventTarget | null} target
 * @param {string} key
 */
function isTaken(target, key) {
  if (document.querySelector("dialog[open]")) return true
  if (!(target instanceof HTMLElement)) return false
  if (target.matches("select, textarea, input:not([type=range])")) return true
  if (key === "Space" && target.matches("button, a")) return true
  return SCROLLS.includes(key) && target !== document.body
    && target.matches("[tabindex='0']") && target.scrollHeight > target.clientHeight
}
