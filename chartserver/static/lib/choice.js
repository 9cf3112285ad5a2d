import { positive, readLocation } from "./location.js"

/** What the URL of the live page asks for. A strike of null follows ATM. */
export function readChoice() {
  const query = readLocation()
  return {
    underlying: query.get("underlying")?.toUpperCase() || "NIFTY",
    expiry: query.get("expiry") || null,
    strike: positive(query, "strike"),
  }
}
