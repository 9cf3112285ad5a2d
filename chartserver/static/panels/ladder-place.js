import { byId } from "../lib/dom.js"

/**
 * Which strikes of the ladder are in view: ATM stays in the middle, until somebody scrolls away;
 * then a button leads back.
 * @param {HTMLElement} box that scrolls
 */
export function keepCentred(box) {
  const back = byId("ladder-atm")
  /** @type {HTMLElement | null} */
  let atm = null
  /** Whether it is ATM, or where the ladder stands without one. */
  let named = false
  let following = true
  /** Where it was put last: a scroll to elsewhere is somebody's. */
  let put = 0
  /** @type {{row: HTMLElement, top: number} | null} a row that is read, and where it stands */
  let held = null

  const middle = () => (atm ? atm.offsetTop + (atm.offsetHeight - box.clientHeight) / 2 : 0)

  /** Rows above may have come or gone: what is read stays where it is. */
  function stay() {
    if (held?.row.isConnected) box.scrollTop += held.row.offsetTop - held.top
    held = null
    put = box.scrollTop
  }

  /** On a narrow window the strikes and prices are in the middle. */
  let sideways = false

  function settle() {
    if (!sideways && atm !== null && box.scrollWidth > box.clientWidth) {
      sideways = true
      box.scrollLeft = (box.scrollWidth - box.clientWidth) / 2
    }
    back.hidden = following || !named
    if (held) stay()
    if (!following || atm === null || box.clientHeight === 0) return
    const wanted = middle()
    if (Math.abs(box.scrollTop - wanted) >= 1) box.scrollTop = wanted
    put = box.scrollTop
  }

  function scrolled() {
    if (atm === null || box.clientHeight === 0 || Math.abs(box.scrollTop - put) <= 1) return
    put = box.scrollTop
    const reachable = Math.min(Math.max(0, middle()), box.scrollHeight - box.clientHeight)
    following = Math.abs(put - reachable) <= atm.offsetHeight / 2
    back.hidden = following || !named
  }

  function follow() {
    following = true
    settle()
  }

  box.addEventListener("scroll", scrolled, { passive: true })
  new ResizeObserver(settle).observe(box)
  back.onclick = follow
  return {
    /** Rows are about to come or go. @param {HTMLElement[]} rows those that stay */
    hold(rows) {
      const row = rows.find(({ offsetTop }) => offsetTop >= box.scrollTop)
      held = row ? { row, top: row.offsetTop } : null
    },
    /**
     * The rows, or the strike at the money, are others now.
     * @param {HTMLElement | null} row
     * @param {boolean} isAtm whether there is a way back to name
     */
    at(row, isAtm) {
      atm = row
      named = isAtm && row !== null
      settle()
    },
    /** Another ladder: go to its middle. */
    follow() {
      following = true
    },
  }
}
