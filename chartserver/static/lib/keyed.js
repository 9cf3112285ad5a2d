/**
 * Elements that stand for the items of a list, one a key. An element stays the same for as long as
 * its key is in the list, and is not moved while the order is kept: it keeps focus and scroll.
 * @template Item
 * @template {{element: HTMLElement}} Part
 */
export class Keyed {
  /**
   * @param {HTMLElement} parent
   * @param {(key: string | number) => Part} make a new element with what writes it
   */
  constructor(parent, make) {
    this.parent = parent
    this.make = make
    /** @type {Map<string | number, Part>} */
    this.parts = new Map()
  }

  /**
   * Whether elements would come or go.
   * @param {readonly Item[]} items
   * @param {(item: Item) => string | number} keyOf
   */
  differs(items, keyOf) {
    return items.length !== this.parts.size || items.some((item) => !this.parts.has(keyOf(item)))
  }

  /**
   * @param {readonly Item[]} items
   * @param {(item: Item) => string | number} keyOf
   * @param {(part: Part, item: Item) => void} write
   */
  show(items, keyOf, write) {
    const keys = new Set(items.map(keyOf))
    for (const [key, { element }] of this.parts) {
      if (keys.has(key)) continue
      element.remove()
      this.parts.delete(key)
    }
    let next = this.parent.firstElementChild
    for (const item of items) {
      const key = keyOf(item)
      const part = this.parts.get(key) ?? this.make(key)
      write(part, item)
      this.parts.set(key, part)
      if (part.element === next) next = next.nextElementSibling
      else this.parent.insertBefore(part.element, next)
    }
  }
}
