/**
 * First place in an ascending array whose value is not below the sought one.
 * @param {ArrayLike<number>} values
 * @param {number} sought
 */
export function lowerBound(values, sought) {
  let low = 0
  let high = values.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (values[middle] < sought) low = middle + 1
    else high = middle
  }
  return low
}

/**
 * First place in an ascending array whose value is above the sought one.
 * @param {ArrayLike<number>} values
 * @param {number} sought
 */
export function upperBound(values, sought) {
  let low = 0
  let high = values.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (values[middle] <= sought) low = middle + 1
    else high = middle
  }
  return low
}
