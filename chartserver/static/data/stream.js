/** @import { BuildUpEvent, CandleEvent, Signal, Status } from "./types.js" */
import { url } from "./api.js"

/** Status events come every few seconds, so a longer silence means a dead connection. */
const SILENCE_MS = 25_000

/**
 * @typedef {object} StreamHandlers
 * @property {(event: CandleEvent) => void} candle
 * @property {(event: BuildUpEvent) => void} build_up
 * @property {(event: Signal) => void} signal
 * @property {(event: Status) => void} status
 * @property {(event: {reason?: string}) => void} reset the history must be read again
 * @property {() => void} open
 * @property {() => void} interrupted the browser reconnects and resumes by itself
 * @property {(reason: string) => void} closed it will not come back by itself
 */

/**
 * Open one EventSource. The browser reconnects and resumes by id; an answer other than 200 closes
 * it for good, which is told as `closed`.
 * @param {string} underlying
 * @param {string | undefined} since "epoch:seq" of the history
 * @param {StreamHandlers} handlers
 */
export function openStream(underlying, since, handlers) {
  const source = new EventSource(url("/stream", { underlying, since }))
  let heard = performance.now()
  let lastId = since ?? ""
  for (const kind of /** @type {const} */ (["candle", "build_up", "signal", "status", "reset"]))
    source.addEventListener(kind, ({ data, lastEventId }) => {
      heard = performance.now()
      lastId = lastEventId || lastId
      handlers[kind](JSON.parse(data))
    })
  source.onopen = () => {
    heard = performance.now()
    handlers.open()
  }
  source.onerror = () => {
    if (source.readyState === EventSource.CLOSED) close("The chart server refused the stream.")
    else handlers.interrupted()
  }
  const watch = setInterval(() => {
    if (source.readyState === EventSource.OPEN && performance.now() - heard > SILENCE_MS)
      close("The stream fell silent.")
  }, 1000)

  /** @param {string} [reason] */
  function close(reason) {
    clearInterval(watch)
    source.close()
    if (reason) handlers.closed(reason)
  }
  return {
    close: () => close(),
    /** The last id received, "epoch:seq". */
    lastId: () => lastId,
  }
}
