/** @import { Market } from "../data/market.js" */
import { byId, setText } from "../lib/dom.js"
import * as format from "../lib/format.js"

/** Spot and ATM in the header. */
export function createSpot() {
  const spot = byId("spot")
  let last = NaN
  return {
    /**
     * @param {Market} market
     * @param {number | null} atm
     */
    show(market, atm) {
      setText(spot, format.price(market.spot))
      setText(byId("atm"), format.count(atm))
      if (market.spot === null || market.spot === last) return
      spot.dataset.tick = market.spot > last ? "up" : market.spot < last ? "down" : ""
      last = market.spot
    },
  }
}
