/** Collects what could not be read: each text once, and only the first hundred. */
export interface Warnings {
  readonly add: (message: string) => void
  readonly list: () => ReadonlyArray<string>
}

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
