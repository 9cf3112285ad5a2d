/** Pixels: an arrow's size, a line of text, between things. */
export const ARROW = 9
export const LINE = 14
const GAP = 3
/** Lines that a text may stand further from its candle than where it is free of candles. */
const LINES = 3
/** And from its arrow: a shorter text may stand nearer. */
const FAR = 80
/** Width of the columns by which boxes are found again. */
const COLUMN = 64

/**
 * @typedef {{left: number, right: number, top: number, bottom: number}} Box
 *
 * @typedef {object} Mark what has to be placed
 * @property {number} x middle of its candle
 * @property {boolean} below on which side of the candles its arrow stands
 * @property {readonly string[]} texts the longest first
 * @property {boolean} must
 *
 * @typedef {object} Placed
 * @property {Box} arrow
 * @property {string} text empty where none has room
 * @property {Box | null} box of the text
 */

/** Boxes that are taken, found by their place from left to right. */
class Taken {
  constructor() {
    /** @type {Map<number, Box[]>} */
    this.columns = new Map()
  }

  /** @param {Box} box */
  *keys({ left, right }) {
    for (let key = Math.floor(left / COLUMN); key <= Math.floor(right / COLUMN); key++) yield key
  }

  /** @param {Box} box */
  add(box) {
    for (const key of this.keys(box))
      this.columns.set(key, [...(this.columns.get(key) ?? []), box])
  }

  /** @param {Box} box */
  meets(box) {
    return [...this.keys(box)].some((key) => this.columns.get(key)?.some((other) =>
      other.left < box.right && box.left < other.right
      && other.top < box.bottom && box.top < other.bottom))
  }
}

/**
 * Place arrows and texts beside the candles: no text over a candle, an arrow or another text. A text
 * that has no room is said shorter, or not at all. What must be said is placed first, and rather
 * over a candle than not.
 * @param {readonly Mark[]} marks
 * @param {(left: number, right: number) => {top: number, bottom: number} | null} candles where the
 *   candles between two places lie
 * @param {{width: number, height: number}} pane
 * @param {(text: string) => number} widthOf
 * @returns {Placed[]} in the order of the marks
 */
export function placeMarkers(marks, candles, pane, widthOf) {
  const taken = new Taken()
  const placed = marks.map(({ x, below }) => {
    const left = x - ARROW / 2
    const near = candles(left, x + ARROW / 2) ?? { top: pane.height / 2, bottom: pane.height / 2 }
    const top = below ? near.bottom + GAP : near.top - GAP - ARROW
    const arrow = { left, right: left + ARROW, top, bottom: top + ARROW }
    taken.add(arrow)
    return /** @type {Placed} */ ({ arrow, text: "", box: null })
  })
  const order = marks.map((_, i) => i).sort((a, b) => Number(marks[b].must) - Number(marks[a].must))
  for (const i of order) {
    const found = placeText(marks[i], placed[i].arrow, candles, pane, widthOf, taken)
    if (!found) continue
    Object.assign(placed[i], found)
    taken.add(found.box)
  }
  return placed
}

/**
 * @param {Mark} mark
 * @param {Box} arrow
 * @param {Parameters<typeof placeMarkers>[1]} candles
 * @param {{width: number, height: number}} pane
 * @param {(text: string) => number} widthOf
 * @param {Taken} taken
 * @returns {{text: string, box: Box} | null}
 */
function placeText({ x, below, texts, must }, arrow, candles, pane, widthOf, taken) {
  /** @param {number} top @param {number} left @param {number} width */
  const free = (top, left, width) => {
    const box = { left, right: left + width, top, bottom: top + LINE }
    return top >= 0 && box.bottom <= pane.height && !taken.meets(box) ? box : null
  }
  for (const text of texts) {
    const width = widthOf(text)
    if (width > pane.width) continue
    const left = Math.min(Math.max(0, x - width / 2), pane.width - width)
    const near = candles(left, left + width)
    for (const under of [below, !below]) {
      const edge = under
        ? Math.max(near?.bottom ?? -Infinity, under === below ? arrow.bottom : arrow.top) + GAP
        : Math.min(near?.top ?? Infinity, under === below ? arrow.top : arrow.bottom) - GAP - LINE
      for (let line = 0; line < LINES; line++) {
        const top = edge + (under ? line : -line) * LINE
        if (Math.max(top - arrow.bottom, arrow.top - top - LINE) > FAR) break
        const box = free(top, left, width)
        if (box) return { text, box }
      }
    }
  }
  const text = texts[texts.length - 1]
  if (!must || text === undefined) return null
  const width = widthOf(text)
  const left = Math.min(Math.max(0, x - width / 2), Math.max(0, pane.width - width))
  for (let away = 0; away < pane.height; away += LINE / 2)
    for (const top of [arrow.bottom + away, arrow.top - LINE - away]) {
      const box = free(top, left, width)
      if (box) return { text, box }
    }
  return null
}
