/**
 * Make the links to the other pages keep the underlying.
 * @param {string} underlying
 */
export function linkPages(underlying) {
  for (const link of document.querySelectorAll(".pages a"))
    if (link instanceof HTMLAnchorElement) link.search = `?underlying=${underlying}`
}
