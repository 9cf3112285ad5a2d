/** @import { Ask } from "./data/switchboard.js" */
import { Switchboard } from "./data/switchboard.js"

/** The shared worker: one stream for all tabs of the browser. */
const board = new Switchboard()
const scope = /** @type {{onconnect: ((event: MessageEvent) => void) | null}} */ (
  /** @type {unknown} */ (globalThis))

scope.onconnect = (/** @type {MessageEvent} */ event) => {
  const [port] = event.ports
  const hear = board.join((tell) => port.postMessage(tell))
  port.onmessage = (/** @type {MessageEvent} */ { data }) => {
    if (data.kind === "alive") awaitEnd(data.lock, () => hear({ kind: "leave" }))
    else hear(/** @type {Ask} */ (data))
  }
}

/**
 * A port does not tell that its tab is gone; a lock that the tab holds as long as it lives does.
 * @param {string} lock
 * @param {() => void} gone
 */
function awaitEnd(lock, gone) {
  void globalThis.navigator.locks?.request(lock, gone)
}
