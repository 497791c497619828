import process from "node:process"
import { endsBySignal } from "./Services.ts"

/** What ends the process in order. A closed terminal sends SIGHUP, and a supervisor what its author likes; each would kill it otherwise. */
const stopping = ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR2", "SIGBREAK"] as const

/** A second one of these ends the process at once. Terminals and supervisors repeat the others without meaning more by it. */
const insisting: ReadonlySet<NodeJS.Signals> = new Set(["SIGTERM", "SIGINT", "SIGQUIT"])

const numbers: Partial<Record<NodeJS.Signals, number>> = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGUSR2: 12, SIGTERM: 15 }

/** Before anything runs there is nothing to end in order. */
const exit = (): void => process.exit(endsBySignal(process.argv) ? 0 : exitCode())

let stop = exit
let stoppedBy: NodeJS.Signals | null = null

const receive = (signal: NodeJS.Signals): void => {
  if (stoppedBy === null) {
    stoppedBy = signal
    stop()
  } else if (insisting.has(signal)) {
    // Process 1 can't die of a signal by itself, so this is an exit with the status of such a death.
    process.exit(codeOf(signal))
  }
}

const ignore = (): void => undefined

/** Hears signals from now on. Until {@link onStop} says how to stop, the first one is the end. */
export const listen = (): void => {
  for (const signal of stopping) process.on(signal, receive)
  // Node would open its debugger to everybody on the machine. Deno opens its own whatever listens.
  process.on("SIGUSR1", ignore)
}

/** Lets the first signal call this instead of ending the process. */
export const onStop = (begin: () => void): void => {
  stop = begin
}

/** Leaves signals to their defaults again. */
export const forget = (): void => {
  for (const signal of stopping) process.removeListener(signal, receive)
  process.removeListener("SIGUSR1", ignore)
}

/** Whether a signal asked the process to stop. */
export const hasStopped = (): boolean => stoppedBy !== null

/** What a process ends with that the signal would have killed; undefined while there was none. */
export const exitCode = (): number | undefined => (stoppedBy === null ? undefined : codeOf(stoppedBy))

const codeOf = (signal: NodeJS.Signals): number => 128 + (numbers[signal] ?? 0)
