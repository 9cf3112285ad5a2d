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

/** Share of the distance between two strikes by which spot must be nearer to the other one. */
const BAND = 0.2

/**
 * Where the strike at the money goes to when spot stays; null where it is clear enough.
 * @param {number} spot
 * @param {readonly number[]} strikes listed ones
 * @param {number} shown
 */
export function calmTarget(spot, strikes, shown) {
  const nearest = nearestStrike(spot, strikes)
  if (nearest === null || nearest === shown) return null
  const lead = Math.abs(shown - spot) - Math.abs(nearest - spot)
  return lead < BAND * Math.abs(nearest - shown) ? null : nearest
}

/**
 * The strike at the money that a person can work with: it changes only when spot is clearly nearer
 * to another strike and has stood there for a while of the wall clock. Without it the charts would
 * flip back and forth at the middle between two strikes.
 */
export class CalmAtm {
  /** @param {() => number} patience milliseconds @param {() => void} moved */
  constructor(patience, moved) {
    this.patience = patience
    this.moved = moved
    /** @type {number | null} */
    this.strike = null
    /** @type {number | null} where it goes to when spot stays */
    this.target = null
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined
  }

  /** Stand at a strike. @param {number | null} strike */
  place(strike) {
    this.stay()
    this.strike = strike
  }

  stay() {
    clearTimeout(this.timer)
    this.target = null
  }

  /** @param {number | null} spot @param {readonly number[]} strikes listed ones */
  see(spot, strikes) {
    const { strike: shown } = this
    if (spot === null || !strikes.length) return this.stay()
    if (shown === null) return this.place(nearestStrike(spot, strikes))
    const target = calmTarget(spot, strikes, shown)
    if (target === null) return this.stay()
    if (target === this.target) return
    this.stay()
    this.target = target
    this.timer = setTimeout(() => {
      this.place(target)
      this.moved()
    }, this.patience())
  }
}
