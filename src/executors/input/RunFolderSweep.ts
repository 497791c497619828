import type * as FileSystem from "@effect/platform/FileSystem"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { createHash, randomBytes } from "node:crypto"
import { hostname } from "node:os"
import * as NodePath from "node:path"
import * as process from "node:process"

/** What the names of this process's run folders begin with: `run-<machine>-<process id>-<process>-`. */
export const prefix = (fs: FileSystem.FileSystem): Effect.Effect<string> =>
  Effect.map(machine(fs), (name) => `run-${name}-${process.pid}-${instance}-`)

/** Touches the folder as long as the scope is open: other processes take an untouched folder for that of a dead one. */
export const keepAlive = (fs: FileSystem.FileSystem, folder: string): Effect.Effect<void, never, Scope.Scope> =>
  Clock.currentTimeMillis.pipe(
    Effect.flatMap((now) => fs.utimes(folder, now / 1000, now / 1000)),
    Effect.ignore,
    Effect.schedule(Schedule.spaced(touchEvery)),
    Effect.forkScoped,
    Effect.asVoid
  )

/**
 * Removes the run folders in `parent` whose processes are dead: those of a process of this machine that is gone, and those that have not been
 * touched for long. Looks at a folder when this process first uses it, and then now and again. What can't be removed stays.
 */
export const sweep = (fs: FileSystem.FileSystem, parent: string): Effect.Effect<void> =>
  Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    const last = sweptAt.get(parent)
    if (last !== undefined && Math.abs(now - last) < Duration.toMillis(deadAfter)) return
    sweptAt.set(parent, now)
    const here = yield* machine(fs)
    const names = yield* fs.readDirectory(parent)
    yield* Effect.forEach(
      names.filter((name) => name.startsWith("run-")),
      (name) =>
        Effect.gen(function* () {
          const folder = NodePath.join(parent, name)
          const info = yield* fs.stat(folder)
          if (info.type !== "Directory") return
          const age = now - Option.match(info.mtime, { onNone: () => now, onSome: (time) => time.getTime() })
          if (isDead(name, here, age)) yield* fs.remove(folder, { recursive: true, force: true })
        }).pipe(Effect.ignore),
      { discard: true }
    )
  }).pipe(Effect.ignore)

/** The same for the folder that runs use where a definition names none. */
export const sweepDefault = (fs: FileSystem.FileSystem): Effect.Effect<void> =>
  sweep(fs, NodePath.resolve(defaultFolder))

/** The default of the setting `temp_folder`. */
export const defaultFolder = "./tmp/contentflow"

const isDead = (name: string, here: string, age: number): boolean => {
  const [, host, id, owner] = /^run-([0-9a-f]{12})-(\d{1,10})-([0-9a-f]{8})-/.exec(name) ?? []
  // Earlier versions did not touch their folders.
  if (host === undefined) return /^run-[A-Za-z0-9]{6}$/.test(name) && age > Duration.toMillis("1 day")
  if (host !== here) return age > Duration.toMillis(deadAfter)
  return owner !== instance && (Number(id) === process.pid || !isRunning(Number(id)))
}

const isRunning = (id: number): boolean => {
  try {
    process.kill(id, 0)
    return true
  } catch (error) {
    // The process of another user can't be asked, but is there.
    return error instanceof Error && "code" in error && error.code === "EPERM"
  }
}

/** Where process ids mean the same: this host, and the namespace of this container. */
const machine = (fs: FileSystem.FileSystem): Effect.Effect<string> =>
  Effect.map(
    Effect.orElseSucceed(fs.readLink("/proc/self/ns/pid"), () => ""),
    (namespace) => createHash("sha1").update(`${hostname()} ${namespace}`).digest("hex").slice(0, 12)
  )

const instance = randomBytes(4).toString("hex")
const sweptAt = new Map<string, number>()
const touchEvery = Duration.minutes(1)
const deadAfter = Duration.minutes(15)
