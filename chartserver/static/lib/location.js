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
