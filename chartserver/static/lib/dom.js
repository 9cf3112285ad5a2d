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

/**
 * Write properties of an element only where they differ: what is written anew flickers, and costs.
 * @template {HTMLElement} T
 * @param {T} node
 * @param {Partial<Pick<T, "className" | "title" | "hidden" | "textContent">>} wanted
 */
export function patch(node, wanted) {
  for (const name of /** @type {(keyof typeof wanted)[]} */ (Object.keys(wanted))) {
    const value = wanted[name]
    if (value === undefined || node[name] === value) continue
    Object.assign(node, { [name]: value })
    // As if it had never been written.
    if (value === "") node.removeAttribute(name === "className" ? "class" : name)
  }
}

/**
 * Write an attribute only where it differs; null takes it away.
 * @param {HTMLElement} node
 * @param {string} name
 * @param {string | null} value
 */
export function patchAttribute(node, name, value) {
  if (node.getAttribute(name) === value) return
  if (value === null) node.removeAttribute(name)
  else node.setAttribute(name, value)
}
