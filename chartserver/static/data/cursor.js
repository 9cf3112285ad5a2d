/**
 * A place in the change log, "epoch:number"; what may follow the epoch's name is the server's own.
 * Numbers of another epoch mean nothing.
 * @param {string | null | undefined} text
 */
export function parseCursor(text) {
  const [epoch = "", seq = ""] = (text ?? "").split(":")
  return { epoch: epoch.replace(/\..*/, ""), seq: seq === "" ? -1 : Number(seq) }
}

/**
 * Whether a place lies before another one; false where they cannot be compared.
 * @param {string} one
 * @param {string} other
 */
export function isBefore(one, other) {
  const [a, b] = [parseCursor(one), parseCursor(other)]
  return a.epoch === b.epoch && a.seq < b.seq
}
