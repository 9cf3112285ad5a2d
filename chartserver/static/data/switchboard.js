/** @import { Ladder } from "./types.js" */
import { isBefore } from "./cursor.js"
import { openStream } from "./stream.js"
import { mergeLadder } from "./store.js"
import { underlyingOf } from "./symbols.js"

/**
 * What tabs say to the switchboard: `watch` an underlying, before its history is read; `follow` it
 * from where the history ends, with a ladder; `got` so many events; `leave`.
 * @typedef {{kind: "watch", underlying: string}
 *   | {kind: "follow", since: string, ladder: string | null}
 *   | {kind: "got", count: number} | {kind: "leave"}} Ask
 *
 * What it answers. `lagged` means that events were left out, so that the history must be read
 * again.
 * @typedef {{kind: "hello"} | {kind: "events", events: StreamEvent[]}
 *   | {kind: "state", state: StreamState, message: string} | {kind: "lagged"}} Tell
 *
 * @typedef {[name: string, data: any, id: string]} StreamEvent
 * @typedef {"open" | "interrupted" | "closed"} StreamState
 *
 * @typedef {object} Member
 * @property {(tell: Tell) => void} post
 * @property {string} underlying
 * @property {string | null} ladder "NIFTY:2026-01-27"
 * @property {string | null} from where the stream stood when it began to watch; null for nowhere
 * @property {number} unread events sent and not taken yet
 * @property {boolean} lagging
 */

/** A tab that is frozen takes nothing; beyond this its history is cheaper than its events. */
const MOST_UNREAD = 20_000

/**
 * One stream for any number of tabs. A browser opens only six connections to a server, so its tabs
 * share one: this runs in a shared worker, or in the tab that leads where there is none.
 */
export class Switchboard {
  constructor() {
    /** @type {Set<Member>} */
    this.members = new Set()
    /** @type {ReturnType<typeof openStream> | null} */
    this.stream = null
    this.cursor = ""
    /** @type {Set<string>} ladders that the stream was asked for */
    this.ladders = new Set()
    /** @type {Map<string, Ladder>} their latest state */
    this.latest = new Map()
    /** @type {StreamEvent[]} */
    this.batch = []
    /** @type {StreamEvent | null} the last status, for those who join */
    this.status = null
    /** @type {Tell & {kind: "state"}} */
    this.state = { kind: "state", state: "interrupted", message: "" }
  }

  /**
   * Take a tab in. Everything that arrives from now on reaches it.
   * @param {(tell: Tell) => void} post
   * @returns {(ask: Ask) => void} hear it
   */
  join(post) {
    /** @type {Member} */
    const member = {
      post, underlying: "", ladder: null, from: null, unread: 0, lagging: false,
    }
    this.members.add(member)
    post({ kind: "hello" })
    return (ask) => this.hear(member, ask)
  }

  /** @param {Member} member @param {Ask} ask */
  hear(member, ask) {
    if (ask.kind === "watch") this.watch(member, ask.underlying)
    else if (ask.kind === "follow") this.follow(member, ask)
    else if (ask.kind === "got") this.got(member, ask.count)
    else this.leave(member)
  }

  /** @param {Member} member */
  leave(member) {
    this.members.delete(member)
    if (this.members.size === 0) this.close()
  }

  /** @param {Member} member @param {number} count */
  got(member, count) {
    member.unread = Math.max(0, member.unread - count)
    if (!member.lagging || member.unread) return
    member.lagging = false
    member.post({ kind: "lagged" })
  }

  /**
   * Send a tab what arrives from now on.
   * @param {Member} member
   * @param {string} underlying
   */
  watch(member, underlying) {
    this.flush()
    Object.assign(member, { underlying, ladder: null, from: (this.stream && this.cursor) || null })
  }

  /** @param {Member} member @param {Extract<Ask, {kind: "follow"}>} ask */
  follow(member, { since, ladder }) {
    const { from } = member
    member.ladder = ladder
    member.from = from ?? since
    const wanted = new Set([...this.members].flatMap((one) => one.ladder ?? []))
    const missing = [...wanted].some((key) => !this.ladders.has(key))
    // Before its first event nobody knows where it began.
    if (!this.stream || (since && !this.cursor)) this.open(since, wanted)
    // Those who have seen more already drop what they know.
    else if (isBefore(since, from ?? this.cursor)) this.open(since, wanted)
    else if (missing) this.open(this.cursor, wanted)
    else {
      const known = this.latest.get(ladder ?? "")
      if (known) this.send(member, [["ladder", known, this.cursor]])
      if (this.status) this.send(member, [this.status])
      member.post(this.state)
    }
  }

  /** @param {string} since @param {Set<string>} ladders */
  open(since, ladders) {
    this.close()
    this.cursor = since
    this.ladders = ladders
    this.stream = openStream(since, [...ladders], {
      event: (event) => this.take(event),
      open: () => this.tell("open", ""),
      interrupted: () => this.tell("interrupted", ""),
      closed: (message) => {
        this.close()
        this.tell("closed", message)
      },
    })
  }

  close() {
    this.flush()
    this.stream?.close()
    this.stream = null
    this.ladders = new Set()
    this.latest.clear()
  }

  /** @param {StreamState} state @param {string} message */
  tell(state, message) {
    this.flush()
    this.state = { kind: "state", state, message }
    for (const member of this.members) member.post(this.state)
  }

  /** @param {StreamEvent} event */
  take(event) {
    const [name, data, id] = event
    if (id) this.cursor = id
    if (name === "status") this.status = event
    if (name === "ladder") this.keep(data)
    // What left the server in one piece goes on in one piece.
    if (this.batch.push(event) === 1) setTimeout(() => this.flush())
  }

  /** @param {Ladder} ladder */
  keep(ladder) {
    const key = `${ladder.underlying}:${ladder.expiry}`
    const known = this.latest.get(key)
    this.latest.set(key, known && !ladder.whole ? mergeLadder(known, ladder) : ladder)
  }

  flush() {
    const { batch } = this
    if (!batch.length) return
    this.batch = []
    for (const member of this.members) {
      this.send(member, batch.filter((event) => concerns(event, member)))
    }
  }

  /** @param {Member} member @param {StreamEvent[]} events */
  send(member, events) {
    if (!events.length || member.lagging) return
    if (member.unread + events.length > MOST_UNREAD) {
      member.lagging = true
      return
    }
    member.unread += events.length
    member.post({ kind: "events", events })
  }
}

/** @param {StreamEvent} event @param {Member} member */
function concerns([name, data], { underlying, ladder }) {
  if (name === "ladder") return `${data.underlying}:${data.expiry}` === ladder
  const own = data.underlying ?? (data.symbol && underlyingOf(data.symbol))
  return own === undefined || own === underlying
}
