import { byId, setText } from "../lib/dom.js"

/**
 * The card over the charts that says why there is nothing, or nothing new, to see.
 * @typedef {object} Notice
 * @property {"loading" | "empty" | "error" | "refused"} kind
 * @property {string} title
 * @property {string} text
 * @property {{label: string, run: () => void}} [action]
 */

/** @param {Notice | null} notice null hides it */
export function showNotice(notice) {
  const card = byId("notice")
  card.hidden = notice === null
  if (!notice) return
  card.dataset.kind = notice.kind
  setText(byId("notice-title"), notice.title)
  setText(byId("notice-text"), notice.text)
  const button = byId("notice-action")
  button.hidden = !notice.action
  setText(button, notice.action?.label ?? "")
  button.onclick = notice.action?.run ?? null
}

/** The thin line under the toolbar, for what does not hide the charts. @param {string} text */
export function showBanner(text) {
  const banner = byId("banner")
  banner.hidden = text === ""
  setText(banner, text)
}
