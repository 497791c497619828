/** Unicode code points, which is what the original counts as characters. */
export const countCodePoints = (text: string): number => {
  let count = text.length
  // The engine answers this at once for a text of Latin letters, and faster than the loop for any other.
  if (!/[\ud800-\udbff]/.test(text)) return count
  for (let index = 0; index < text.length - 1; index++) {
    const unit = text.charCodeAt(index)
    if (unit < 0xd800 || unit > 0xdbff) continue
    const next = text.charCodeAt(index + 1)
    if (next >= 0xdc00 && next <= 0xdfff) count--
  }
  return count
}
