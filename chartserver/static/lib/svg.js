const SVG = "http://www.w3.org/2000/svg"

/**
 * Make an element of a drawing.
 * @param {string} name
 * @param {Record<string, string | number>} attributes
 * @param {string} [title] what hovering tells
 */
export function shape(name, attributes, title) {
  const made = document.createElementNS(SVG, name)
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value))
  if (title) made.append(Object.assign(document.createElementNS(SVG, "title"), { textContent: title }))
  return made
}
