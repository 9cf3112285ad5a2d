/**
 * Run all of some steps, whatever becomes of each: one part of a page that fails must not stop the
 * others. Failures go to the console.
 * @param {Record<string, () => void>} steps by name
 * @returns {string[]} names of those that failed
 */
export function attempt(steps) {
  return Object.entries(steps).flatMap(([name, run]) => {
    try {
      run()
      return []
    } catch (error) {
      reportError(error)
      return [name]
    }
  })
}

/** What to say of steps that failed. @param {readonly string[]} names */
export const failureText = (names) =>
  names.length ? `A part of the page cannot be shown (${names.join(", ")}): reload it.` : ""
