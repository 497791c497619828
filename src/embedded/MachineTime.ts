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
  // On Deno `hrtime` counts from the start of the process: only its differences are used.
  const offset = sinceBoot() - elapsed()
  return { boot: bootId(), now: () => Math.round(offset + elapsed()) }
}

const elapsed = (): number => Number(process.hrtime.bigint() / 1_000n) / 1_000

const sinceBoot = (): number => {
  const [seconds] = readSystemFile("/proc/uptime").split(" ")
  const known = Number(seconds)
  return (known > 0 ? known : uptime()) * 1_000
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
