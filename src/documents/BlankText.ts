/** A text that was put together from pieces becomes one when somebody looks into it, which takes long where it is long. */
const long = 1_000_000

/** Whether there is nothing in a text; a long one is not looked into, since {@link withoutLongBlank} leaves no blank one. */
export const isBlank = (text: string): boolean => text.length <= long && text.trim() === ""

/** The document without its text, where that is long and blank. */
export const withoutLongBlank = <A>(document: A): A => {
  if (typeof document !== "object" || document === null || !("text" in document)) return document
  const { text } = document
  return typeof text === "string" && text.length > long && !/\S/.test(text) ? { ...document, text: "" } : document
}
