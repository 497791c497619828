import process from "node:process"

/** What ends the process in order. A closed terminal sends SIGHUP, and a supervisor what its author likes; each would kill it otherwise. */
const stopping = ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR2", "SIGBREAK"] as const

/** A second one of these ends the process at once. Terminals and supervisors repeat the others without meaning more by it. */
const insisting: ReadonlySet<NodeJS.Signals> = new Set(["SIGTERM", "SIGINT", "SIGQUIT"])

const numbers: Partial<Record<NodeJS.Signals, number>> = { SIGINT: 2, SIGQUIT: 3, SIGTERM: 15 }

/** Before anything runs there is nothing to end in order. */
const exit = (): void => process.exit(0)

let stop = exit
let isStopping = false

const receive = (signal: NodeJS.Signals): void => {
  if (!isStopping) {
    isStopping = true
    stop()
  } else if (insisting.has(signal)) {
    // Process 1 can't die of a signal by itself, so this is an exit with the status of such a death.
    process.exit(128 + (numbers[signal] ?? 0))
  }
}

const ignore = (): void => undefined

/** Hears signals from now on. Until {@link onStop} says how to stop, the first one is the end. */
export const listen = (): void => {
  for (const signal of stopping) process.on(signal, receive)
  // Node would open its debugger to everybody on the machine, Deno would die.
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
export const hasStopped = (): boolean => isStopping
