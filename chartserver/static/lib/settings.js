/**
 * What the browser remembers of a page, beside the URL. Each name is one key of the local storage
 * that holds JSON. Where the storage is blocked, full or broken, the page remembers for itself
 * until it is closed.
 */
const PREFIX = "optionscalp."

/** @param {readonly string[]} words */
const oneOf = (...words) => (/** @type {unknown} */ value) => words.includes(/** @type {any} */ (value))
/** @param {unknown} value */
const isText = (value) => typeof value === "string" && value.length <= 60
/** @param {unknown} value */
const isTexts = (value) => Array.isArray(value) && value.length <= 20 && value.every(isText)
/** @param {unknown} value */
const isSeconds = (value) => typeof value === "number" && value >= 0 && value <= 600

/**
 * @typedef {object} Settings
 * @property {"auto" | "light" | "dark"} theme
 * @property {"NIFTY" | "BANKNIFTY"} underlying
 * @property {"index" | "future"} instrument
 * @property {"columns" | "focus" | "rows" | "single"} layout
 * @property {"index" | "call" | "put"} chart the one of the single layout
 * @property {string} interval
 * @property {string[]} levels
 * @property {string[]} hide folded panels
 * @property {string} call rule of the call's strike
 * @property {string} put rule of the put's strike
 * @property {number} patience seconds that spot must stay before the strikes follow
 */

/** @type {Record<keyof Settings, (value: unknown) => boolean>} */
const CHECKS = {
  theme: oneOf("auto", "light", "dark"),
  underlying: oneOf("NIFTY", "BANKNIFTY"),
  instrument: oneOf("index", "future"),
  layout: oneOf("columns", "focus", "rows", "single"),
  chart: oneOf("index", "call", "put"),
  interval: isText,
  levels: isTexts,
  hide: isTexts,
  call: isText,
  put: isText,
  patience: isSeconds,
}

/** What the storage did not take. @type {Map<string, string>} */
const kept = new Map()

/** @param {string} name */
function read(name) {
  const own = kept.get(name)
  if (own !== undefined) return own
  try {
    return localStorage.getItem(PREFIX + name)
  } catch {
    return null
  }
}

/**
 * The remembered value; null when there is none, or none that means something.
 * @template {keyof Settings} K
 * @param {K} name
 * @returns {Settings[K] | null}
 */
export function getSetting(name) {
  try {
    const value = JSON.parse(read(name) ?? "null")
    return CHECKS[name](value) ? value : null
  } catch {
    return null
  }
}

/**
 * @template {keyof Settings} K
 * @param {K} name
 * @param {Settings[K] | null} value null forgets
 */
export function setSetting(name, value) {
  const text = JSON.stringify(value)
  try {
    if (value === null) localStorage.removeItem(PREFIX + name)
    else localStorage.setItem(PREFIX + name, text)
    kept.delete(name)
  } catch {
    kept.set(name, text)
  }
}
