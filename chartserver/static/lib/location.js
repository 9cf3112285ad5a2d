/**
 * The page's state is its URL: read it at start, rewrite it in place when something changes.
 * @returns {URLSearchParams}
 */
export const readLocation = () => new URLSearchParams(location.search)

/**
 * Put values into the URL without a new history entry; null or "" removes one.
 * @param {Record<string, string | number | null | undefined>} values
 */
export function writeLocation(values) {
  const query = readLocation()
  for (const [name, value] of Object.entries(values)) {
    if (value === null || value === undefined || value === "") query.delete(name)
    else query.set(name, String(value))
  }
  const text = query.toString().replaceAll("%3A", ":").replaceAll("%2C", ",")
  const next = text ? `${location.pathname}?${text}` : location.pathname
  if (next !== location.pathname + location.search) history.replaceState(null, "", next)
}

/**
 * Read one parameter that must be one of a few words.
 * @template {string} T
 * @param {URLSearchParams} query
 * @param {string} name
 * @param {readonly T[]} allowed the first is the default
 * @returns {T}
 */
export function oneOf(query, name, allowed) {
  const value = /** @type {T} */ (query.get(name))
  return allowed.includes(value) ? value : allowed[0]
}

/**
 * Read a whole positive number; null when absent or something else.
 * @param {URLSearchParams} query
 * @param {string} name
 */
export function positive(query, name) {
  const value = Number(query.get(name))
  return Number.isFinite(value) && value > 0 ? value : null
}
