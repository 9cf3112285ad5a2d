import { url } from "./api.js"

/** Status events come every few seconds, so a longer silence means a dead connection. */
const SILENCE_MS = 25_000
const KINDS = ["candle", "build_up", "signal", "ladder", "status", "reset"]

/**
 * @typedef {object} StreamHandlers
 * @property {(event: [name: string, data: any, id: string]) => void} event in the log's order; the
 *   id is empty where the event is no part of the log
 * @property {() => void} open
 * @property {() => void} interrupted the browser reconnects and resumes by itself
 * @property {(reason: string) => void} closed it will not come back by itself
 */

/**
 * Open one EventSource over all underlyings. The browser reconnects and resumes by id; an answer
 * other than 200 closes it for good, which is told as `closed`.
 * @param {string} since "epoch:seq" of the history
 * @param {string[]} ladders such as "NIFTY:2026-01-27"
 * @param {StreamHandlers} handlers
 */
export function openStream(since, ladders, handlers) {
  const source = new EventSource(url("/stream", { since, ladder: ladders }))
  let heard = performance.now()
  let lastId = since
  for (const kind of KINDS)
    source.addEventListener(kind, ({ data, lastEventId }) => {
      heard = performance.now()
      // The browser repeats the last id on events that have none of their own.
      const own = lastEventId !== lastId || kind === "ladder" ? lastEventId : ""
      lastId = lastEventId || lastId
      handlers.event([kind, JSON.parse(data), own])
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
  return { close: () => close() }
}
