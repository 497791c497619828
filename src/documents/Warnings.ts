/** Collects what could not be read: each text once, and only the first hundred. */
export interface Warnings {
  readonly add: (message: string) => void
  readonly list: () => ReadonlyArray<string>
}

/** The first of many entries, and how many more there are. */
export const listed = (entries: ReadonlyArray<string | number>): string =>
  entries.slice(0, mostListed).join(", ") +
  (entries.length > mostListed ? ` and ${entries.length - mostListed} more` : "")

const mostListed = 50
const most = 100

export const makeWarnings = (): Warnings => {
  const messages = new Set<string>()
  return {
    add: (message) => {
      if (messages.size < most) messages.add(message)
    },
    list: () => [...messages]
  }
}
