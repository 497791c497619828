/** The start of a text that takes at most so many bytes in UTF-8, or all but so many where `most` is negative; no character is cut in half. */
export const firstBytes = (text: string, most: number): string => {
  if (most >= 0 && text.length * 3 <= most) return text
  const bytes = Buffer.from(text)
  if (most >= 0 && bytes.length <= most) return text
  let end = most < 0 ? Math.max(0, bytes.length + most) : most
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1
  return bytes.subarray(0, end).toString("utf8")
}
