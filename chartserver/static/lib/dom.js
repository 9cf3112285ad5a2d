/**
 * Find an element the page is known to have.
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
  const found = document.getElementById(id)
  if (!found) throw new Error(`the page has no #${id}`)
  return found
}

/**
 * Find a control of a known kind.
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} kind
 * @returns {T}
 */
export function control(id, kind) {
  const found = byId(id)
  if (!(found instanceof kind)) throw new Error(`#${id} is not a ${kind.name}`)
  return found
}

/**
 * Make an element.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {{className?: string, textContent?: string, title?: string, testId?: string}} [given]
 * @returns {HTMLElementTagNameMap[K]}
 */
export function element(tag, { testId, ...given } = {}) {
  const made = Object.assign(document.createElement(tag), given)
  if (testId) made.dataset.testid = testId
  return made
}

/**
 * Write text only when it changed: the header is refreshed several times a second.
 * @param {HTMLElement} node
 * @param {string} text
 */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text
}
