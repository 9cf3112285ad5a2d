/**
 * What goes along when the page is left for another: values of the URL by their names.
 * @typedef {Record<string, string | null | undefined>} Carried
 */

let linked = ""

/**
 * Make the links to the other pages keep what is chosen.
 * @param {Carried} carried
 * @param {string | null} [session] the one on show, for the link that replays it
 */
export function linkPages(carried, session = null) {
  const key = JSON.stringify([carried, session])
  if (key === linked) return
  linked = key
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(carried)) if (value) query.set(name, value)
  for (const link of document.querySelectorAll(".pages a"))
    if (link instanceof HTMLAnchorElement) link.search = String(query)
  const replay = document.getElementById("replay-session")
  if (!(replay instanceof HTMLAnchorElement)) return
  if (session) {
    query.set("from", session)
    query.set("to", session)
  }
  replay.search = String(query)
}

/** Names of the URL that mean the same on the live page and in the replay. */
const SHARED = [
  "underlying", "strike", "call", "put", "instrument", "interval", "strategy", "layout", "levels",
]

/** @param {URLSearchParams} query @returns {Carried} */
export const carriedFrom = (query) =>
  Object.fromEntries(SHARED.map((name) => [name, query.get(name)]))
