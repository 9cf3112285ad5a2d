/**
 * Text for people. The only place that knows India's time zone and digit grouping; nothing here
 * depends on where the viewer sits.
 */
const IST_OFFSET = 19_800
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
const WEEKDAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
const MINUS = "\u2212"

/**
 * Digits grouped as in India: `1,23,45,678.50`. By hand, because the browser's own formatter takes
 * tens of milliseconds to start.
 * @param {number} value
 * @param {number} decimals
 */
function grouped(value, decimals) {
  const [whole, fraction] = Math.abs(value).toFixed(decimals).split(".")
  const digits = whole.replace(/(\d)(?=(\d\d)+\d$)/g, "$1,") + (fraction ? `.${fraction}` : "")
  return (value < 0 && /[1-9]/.test(digits) ? MINUS : "") + digits
}

/** @param {number} time */
const local = (time) => new Date((time + IST_OFFSET) * 1000)
/** @param {number} value */
const two = (value) => String(value).padStart(2, "0")

/** `10:42` in India. @param {number} time */
export function minute(time) {
  const at = local(time)
  return `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`
}

/** `10:42:15` in India. @param {number} time */
export const second = (time) => `${minute(time)}:${two(local(time).getUTCSeconds())}`

/** `21 Jan`. @param {number} time */
export function dayMonth(time) {
  const at = local(time)
  return `${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]}`
}

/** `Wed 21 Jan 2026`. @param {number} time */
export function longDay(time) {
  const at = local(time)
  return `${WEEKDAYS[at.getUTCDay()]} ${dayMonth(time)} ${at.getUTCFullYear()}`
}

/** `2026`. @param {number} time */
export const year = (time) => String(local(time).getUTCFullYear())

/** The IST date as `2026-01-21`. @param {number} time */
export const isoDate = (time) => local(time).toISOString().slice(0, 10)

/** The IST moment as `2026-01-21T10:42:15`. @param {number} time */
export const isoMoment = (time) => local(time).toISOString().slice(0, 19)

/**
 * Read an IST date or moment, or UTC seconds.
 * @param {string | null} text
 * @returns {number | null} UTC seconds; null when it is none of these
 */
export function parseMoment(text) {
  if (!text) return null
  if (/^\d{6,}$/.test(text)) return Number(text)
  if (!/^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?)?$/.test(text)) return null
  const parsed = Date.parse(`${text.length === 10 ? `${text}T00:00` : text}Z`)
  return Number.isNaN(parsed) ? null : Math.floor(parsed / 1000) - IST_OFFSET
}

/** `27 Jan 2026` from `2026-01-27`. @param {string} iso */
export function dateText(iso) {
  const [years, months, days] = iso.split("-").map(Number)
  return `${days} ${MONTHS[months - 1]} ${years}`
}

/** `Wed 21 Jan 2026` from `2026-01-21`. @param {string} iso */
export const sessionText = (iso) => longDay(parseMoment(iso) ?? 0)

/** `25,012.45`. @param {number | null | undefined} value */
export const price = (value) => (value == null ? "–" : grouped(value, 2))

/** `25,000`. @param {number | null | undefined} value */
export const count = (value) => (value == null ? "–" : grouped(value, 0))

/** `14.2%` of a volatility per year. @param {number | null | undefined} value */
export const volatility = (value) => (value == null ? "–" : `${(value * 100).toFixed(1)}%`)

/** `0.48` of an option's delta. @param {number | null | undefined} value */
export const delta = (value) => (value == null ? "–" : grouped(value, 2))

/** `+12.30` or `−4.05`. @param {number | null | undefined} value */
export const signedPrice = (value) => (value != null && value > 0 ? "+" : "") + price(value)

/** Class of a rise or a fall. @param {number | null | undefined} value */
export const tone = (value) => (!value ? "" : value > 0 ? "up" : "down")

/**
 * Lakh and crore, as desks here say it: `8.4 K`, `12.35 L`, `1.20 Cr`.
 * @param {number | null | undefined} value
 */
export function compact(value) {
  if (value == null) return "–"
  const size = Math.abs(value)
  const sign = value < 0 ? MINUS : ""
  if (size >= 1e7) return `${sign}${(size / 1e7).toFixed(2)} Cr`
  if (size >= 1e5) return `${sign}${(size / 1e5).toFixed(2)} L`
  if (size >= 1e3) return `${sign}${(size / 1e3).toFixed(1)} K`
  return sign + Math.round(size)
}

/** @param {number | null | undefined} value */
export const signedCompact = (value) => (value != null && value > 0 ? "+" : "") + compact(value)

/** `+0.32%`. @param {number} ratio */
export const percent = (ratio) =>
  `${ratio > 0 ? "+" : ratio < 0 ? MINUS : ""}${Math.abs(ratio * 100).toFixed(2)}%`

/** `4 s`, `2 m 10 s`, `1 h 05 m`, `3 d`. @param {number} seconds */
export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds))
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return `${Math.floor(whole / 60)} m ${two(whole % 60)} s`
  const minutes = Math.floor((whole % 3600) / 60)
  if (whole < 86_400) return `${Math.floor(whole / 3600)} h ${two(minutes)} m`
  return `${Math.floor(whole / 86_400)} d`
}

/** `45 s`, `4 m`, `2 h`, `3 d`: how old something is, rounded down. @param {number} seconds */
export function age(seconds) {
  if (seconds < 60) return `${Math.max(0, Math.floor(seconds))} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m`
  return seconds < 86_400 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} d`
}
