import process from "node:process"

/** What could not be written on standard output. */
export interface Losses {
  /** Writes that failed: lines, for a log. */
  readonly count: number
  /** The last reason (`EPIPE`); null while nothing was lost. */
  readonly code: string | null
  /** Whether something failed for another reason than that the reader has gone. */
  readonly isFault: boolean
}

let losses: Losses = { count: 0, code: null, isFault: false }

const lose = (error: unknown): void => {
  const code = error instanceof Error && "code" in error ? String(error.code) : "an unknown error"
  losses = { count: losses.count + 1, code, isFault: losses.isFault || !isGone(code) }
}

const isGone = (code: string): boolean => code === "EPIPE" || code === "ECONNRESET" || code === "EOF"

const ignore = (): void => undefined

/** Keeps a reader that goes away, or a full disk, from ending the process. */
export const survive = (): void => {
  process.stdout.on("error", lose)
  process.stderr.on("error", ignore)
}

/** Whether the reader of standard output has gone: nothing that is still to come reaches it. */
export const isReaderGone = (): boolean => losses.count > 0 && !losses.isFault

/** What was lost so far. */
export const lost = (): Losses => losses

/** Calls what writes on standard output; where that throws, as on Deno, the loss is counted. */
export const guarded = (write: () => void): void => {
  try {
    write()
  } catch (error) {
    lose(error)
  }
}

/** Writes a line on standard output, or counts it as lost. */
export const writeLine = (line: string): void => guarded(() => void process.stdout.write(`${line}\n`))
