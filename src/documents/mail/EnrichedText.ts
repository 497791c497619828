/** The text of `text/enriched` (RFC 1896): a line end is a blank, each further one a line end, and commands have no place in it. */
export const enrichedText = (enriched: string): string =>
  enriched
    .replace(/\r\n/g, "\n")
    .replace(/<param>[^]*?<\/param>/gi, "")
    .replace(/\n+/g, (ends) => (ends.length === 1 ? " " : "\n".repeat(ends.length - 1)))
    .replace(/<<|<\/?[A-Za-z][A-Za-z0-9-]{0,59}>/g, (command) => (command === "<<" ? "<" : ""))
    .trim()
