/**
 * The listed strike nearest to spot; a tie goes to the lower one.
 * @param {number} spot
 * @param {readonly number[]} strikes
 */
export function nearestStrike(spot, strikes) {
  /** @type {number | null} */
  let best = null
  for (const strike of strikes) {
    const better = best === null ? Infinity : Math.abs(best - spot) - Math.abs(strike - spot)
    if (better > 0 || (better === 0 && best !== null && strike < best)) best = strike
  }
  return best
}

/** Share of the distance between two strikes that spot must go past their middle. */
const BAND = 0.05

/**
 * Tells when ATM has moved for good: spot is clearly nearer to another strike, and still is after
 * a while. Without it the charts would flip back and forth at the middle between two strikes.
 * @param {number} patience milliseconds
 * @param {(strike: number) => void} onMove
 */
export function followAtm(patience, onMove) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer
  /** @type {number | null} */
  let target = null

  function cancel() {
    clearTimeout(timer)
    target = null
  }
  return {
    cancel,
    /**
     * @param {number | null} spot
     * @param {readonly number[]} strikes
     * @param {number | null} shown the strike on the charts
     */
    check(spot, strikes, shown) {
      const atm = spot === null ? null : nearestStrike(spot, strikes)
      if (spot === null || atm === null || shown === null || atm === shown) return cancel()
      const lead = Math.abs(shown - spot) - Math.abs(atm - spot)
      if (lead < BAND * Math.abs(atm - shown) || atm === target) return
      clearTimeout(timer)
      target = atm
      timer = setTimeout(() => {
        target = null
        onMove(atm)
      }, patience)
    },
  }
}
