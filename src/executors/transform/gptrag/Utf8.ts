/** The start of a text that takes at most so many bytes in UTF-8; no character is cut in half. */
export const firstBytes = (text: string, most: number): string => {
  if (text.length * 3 <= most) return text
  const bytes = Buffer.from(text)
  if (bytes.length <= most) return text
  let end = most
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1
  return bytes.subarray(0, end).toString("utf8")
}
