/**
 * Run a function at most once per animation frame, however often it is asked for.
 * @param {() => void} draw
 * @returns {() => void} ask for the next frame
 */
export function eachFrame(draw) {
  let asked = false
  return () => {
    if (asked) return
    asked = true
    requestAnimationFrame(() => {
      asked = false
      draw()
    })
  }
}

/**
 * Run a function soon, but with a pause between two runs; the last request always runs.
 * @param {() => void} run
 * @param {number} pause milliseconds
 */
export function throttled(run, pause) {
  let last = -Infinity
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer
  return () => {
    if (timer !== undefined) return
    timer = setTimeout(() => {
      timer = undefined
      last = performance.now()
      run()
    }, Math.max(0, last + pause - performance.now()))
  }
}
