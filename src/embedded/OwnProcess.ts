import { readFileSync, readlinkSync } from "node:fs"
import { hostname } from "node:os"
import process from "node:process"
import type { Access } from "./Database.ts"

/** Notes that this process uses the database under this id. */
export const enter = ({ prepare }: Access, id: string): void => {
  prepare("INSERT INTO processes (id, pid, machine) VALUES (?, ?, ?)").run(id, process.pid, machine())
}

export const leave = ({ prepare }: Access, id: string): void => {
  prepare("DELETE FROM processes WHERE id = ?").run(id)
}

/**
 * The ids of processes that are surely dead. One whose number belongs to another process by now is taken for alive, and so is every process of another
 * machine or container, whose numbers mean nothing here.
 */
export const dead = ({ prepare }: Access): ReadonlyArray<string> =>
  prepare("SELECT id, pid FROM processes WHERE machine = ?")
    .all(machine())
    .filter(({ pid }) => !isAlive(Number(pid)))
    .map(({ id }) => String(id))

const isAlive = (pid: number): boolean => {
  if (pid === process.pid) return true
  try {
    process.kill(pid, 0)
    return true
  } catch (thrown) {
    // One of another user is alive, too.
    return !(thrown instanceof Error && "code" in thrown && thrown.code === "ESRCH")
  }
}

/** Within which the number of a process means one process: until the next start of the machine, and within one container. */
const machine = (): string =>
  [
    hostname(),
    orEmpty(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()),
    orEmpty(() => readlinkSync("/proc/self/ns/pid"))
  ].join(" ")

/** Only Linux has these files. */
const orEmpty = (read: () => string): string => {
  try {
    return read()
  } catch {
    return ""
  }
}
