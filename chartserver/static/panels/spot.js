/** @import { Store } from "../data/store.js" */
import { byId, setText } from "../lib/dom.js"
import * as format from "../lib/format.js"

/** Spot and ATM in the header. */
export function createSpot() {
  const spot = byId("spot")
  let last = NaN
  return {
    /**
     * @param {Store} store
     * @param {number | null} atm
     */
    show(store, atm) {
      setText(spot, format.price(store.spot))
      setText(byId("atm"), format.count(atm))
      if (store.spot === null || store.spot === last) return
      spot.dataset.tick = store.spot > last ? "up" : store.spot < last ? "down" : ""
      last = store.spot
    },
  }
}
