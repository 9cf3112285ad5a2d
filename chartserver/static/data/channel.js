/** @import { Ask, Tell } from "./switchboard.js" */
import { Switchboard } from "./switchboard.js"

/** Whoever holds this lock has the stream for all tabs of the browser. */
const LEADER = "optionscalp-stream"
const META = "stream-worker"

/**
 * A tab's end of the switchboard.
 * @typedef {object} Channel
 * @property {(ask: Ask) => void} post
 * @property {() => void} close
 */

/**
 * Connect a tab to the one stream of its browser: in a shared worker; where there is none, in the
 * tab that leads; where tabs cannot agree on one, in the tab itself.
 * @param {(tell: Tell) => void} hear
 * @returns {Channel}
 */
export function openChannel(hear) {
  if ("SharedWorker" in globalThis) return overWorker(hear)
  if (navigator.locks && "BroadcastChannel" in globalThis) return overLeader(hear)
  return alone(hear)
}

/** Hold a lock as long as the tab lives; returns its name. */
function holdLock() {
  const lock = `optionscalp-tab-${Math.random().toString(36).slice(2)}`
  const end = new AbortController()
  const held = new Promise((/** @type {(value?: unknown) => void} */ done) =>
    end.signal.addEventListener("abort", () => done()))
  return {
    lock,
    taken: new Promise((/** @type {(value?: unknown) => void} */ taken) => {
      if (!navigator.locks) return taken()
      void navigator.locks.request(lock, () => {
        taken()
        return held
      })
    }),
    release: () => end.abort(),
  }
}

/** @param {(tell: Tell) => void} hear @returns {Channel} */
function overWorker(hear) {
  const named = document.querySelector(`meta[name="${META}"]`)?.getAttribute("content")
  const worker = new SharedWorker(named ?? "/static/stream-worker.js", { type: "module" })
  const { port } = worker
  const { lock, taken, release } = holdLock()
  port.onmessage = ({ data }) => hear(data)
  void taken.then(() => navigator.locks && port.postMessage({ kind: "alive", lock }))
  return {
    post: (ask) => port.postMessage(ask),
    close() {
      port.postMessage({ kind: "leave" })
      port.close()
      release()
    },
  }
}

/**
 * Tabs elect a leader by a lock and talk over a broadcast channel. When the leader is closed the
 * next one says so, and every tab joins anew.
 * @param {(tell: Tell) => void} hear
 * @returns {Channel}
 */
function overLeader(hear) {
  const air = new BroadcastChannel(LEADER)
  const { lock: me, taken, release } = holdLock()
  const end = new AbortController()
  /** @type {Map<string, (ask: Ask) => void>} members by name, when this tab leads */
  const members = new Map()
  /** @type {Switchboard | null} */
  let board = null
  /** @type {Ask[]} what could not be said yet */
  let unsaid = []
  let joined = false

  /** @param {string} name @param {(tell: Tell) => void} post */
  function admit(name, post) {
    if (!board) return
    members.set(name, board.join(post))
    if (name !== me)
      void navigator.locks.request(name, () => {
        members.get(name)?.({ kind: "leave" })
        members.delete(name)
      })
  }

  /** @param {Tell} tell */
  function told(tell) {
    if (tell.kind === "hello") {
      joined = true
      hear(tell)
      for (const ask of unsaid) say(ask)
      unsaid = []
    } else hear(tell)
  }

  /** Nothing is said once this tab has left. @param {object} message */
  const send = (message) => end.signal.aborted || air.postMessage(message)

  /** @param {Ask} ask */
  function say(ask) {
    if (board) members.get(me)?.(ask)
    else send({ from: me, ask })
  }

  air.onmessage = ({ data }) => {
    if (data.to === me) told(data.tell)
    else if (data.leads) join()
    else if (board && data.join)
      admit(data.join, (tell) => send({ to: data.join, tell }))
    else if (board && data.from) members.get(data.from)?.(data.ask)
  }

  function join() {
    // A new leader knows nobody: whoever followed the old one reads its history again.
    if (joined) hear({ kind: "state", state: "closed", message: "Another tab took over the stream." })
    joined = false
    send({ join: me })
  }

  void navigator.locks.request(LEADER, { signal: end.signal }, () => {
    board = new Switchboard()
    if (joined) hear({ kind: "state", state: "closed", message: "This tab took over the stream." })
    joined = false
    // Said back only once this tab is among the members.
    admit(me, (tell) => queueMicrotask(() => told(tell)))
    send({ leads: me })
    return new Promise((/** @type {(value?: unknown) => void} */ done) =>
      end.signal.addEventListener("abort", () => done()))
  }).catch(() => {})
  // Not before its lock is its own: the leader would take it for gone.
  void taken.then(join)

  return {
    post(ask) {
      if (joined) say(ask)
      else unsaid.push(ask)
    },
    close() {
      if (joined) say({ kind: "leave" })
      end.abort()
      board?.close()
      release()
      air.close()
    },
  }
}

/** @param {(tell: Tell) => void} hear @returns {Channel} */
function alone(hear) {
  const say = new Switchboard().join((tell) => queueMicrotask(() => hear(tell)))
  return { post: say, close: () => say({ kind: "leave" }) }
}
