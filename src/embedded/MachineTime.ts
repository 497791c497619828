import { readFileSync } from "node:fs"
import { uptime } from "node:os"
import process from "node:process"

/** A time that all processes of this machine share and that no step of the wall clock moves. */
export interface MachineTime {
  /** Which start of the machine it counts from; empty where the system does not say. */
  readonly boot: string
  /** Milliseconds since that start. */
  readonly now: () => number
}

export const make = (): MachineTime => {
  const offset = (known ??= offsetNow())
  return { boot: bootId(), now: () => Math.round(offset + elapsed()) }
}

/** One for the whole process. */
let known: number | undefined

/**
 * The system tells its time since the start in hundredths of a second. At the moment when that number changes it is exact, so that processes
 * agree to the millisecond. On Deno `hrtime` counts from the start of the process: only its differences are used.
 */
const offsetNow = (): number => {
  const first = sinceBoot()
  const until = elapsed() + longestLook
  for (let before = elapsed(); before < until;) {
    const now = sinceBoot()
    const after = elapsed()
    // A process that was held up in between does not know when it changed.
    if (now !== first && after - before < 1) return now - after
    before = after
  }
  return sinceBoot() - elapsed()
}

/** Milliseconds; a change comes within ten. */
const longestLook = 25

const elapsed = (): number => Number(process.hrtime.bigint() / 1_000n) / 1_000

const sinceBoot = (): number => {
  const [seconds] = readSystemFile("/proc/uptime").split(" ")
  const told = Number(seconds)
  return (told > 0 ? told : uptime()) * 1_000
}

const bootId = (): string => readSystemFile("/proc/sys/kernel/random/boot_id").trim()

/** Empty on systems other than Linux. */
const readSystemFile = (path: string): string => {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return ""
  }
}
