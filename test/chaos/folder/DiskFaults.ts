import { Effect, type Scope } from "effect"
import { spawnSync } from "node:child_process"
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, readdirSync, rmSync, writeSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import type { FolderWorld } from "./FolderWorld.ts"

/** What happens to the disk that the folder lies on. */
export interface DiskFaults {
  /** Undefined where this user can mount nothing. */
  readonly full: ((seconds: number) => Effect.Effect<void>) | undefined
  readonly readOnly: (seconds: number) => Effect.Effect<void>
  readonly locked: (world: FolderWorld, seconds: number) => Effect.Effect<void>
}

/** Megabytes of a disk that holds a run with its results. */
const room = 700

const run = (command: string, ...args: ReadonlyArray<string>): boolean =>
  spawnSync(command, args, { stdio: "ignore" }).status === 0

/** A folder on a small disk of its own, where this user may mount one. */
export const disk = (
  parent: string
): Effect.Effect<{ readonly folder: string; readonly isOwn: boolean }, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const folder = join(parent, "disk")
      mkdirSync(folder)
      const isOwn = process.platform === "linux" && run("mount", "-t", "tmpfs", "-o", `size=${room}m`, "tmpfs", folder)
      return { folder, isOwn }
    }),
    ({ folder, isOwn }) => Effect.sync(() => isOwn && run("umount", "-l", folder))
  )

export const make = (folder: string, isOwnDisk: boolean): DiskFaults => {
  const filler = join(folder, "..", ".filler")

  const fill = Effect.sync(() => {
    const file = openSync(filler, "w")
    const piece = Buffer.alloc(1_048_576)
    try {
      for (;;) writeSync(file, piece)
    } catch {
      closeSync(file)
    }
  })

  /** Folders in which nobody may make, change or remove a name: root by a flag of the file system, others by permissions. */
  const seal = (closed: boolean) => {
    for (const place of foldersIn(folder)) {
      if (process.getuid?.() === 0) run("chattr", closed ? "+i" : "-i", place)
      else chmodSync(place, closed ? 0o555 : 0o755)
    }
  }

  return {
    full: isOwnDisk
      ? (seconds) =>
          Effect.ensuring(
            Effect.zipRight(fill, Effect.sleep(seconds * 1_000)),
            Effect.sync(() => rmSync(filler, { force: true }))
          )
      : undefined,
    readOnly: (seconds) =>
      Effect.ensuring(
        Effect.zipRight(
          Effect.sync(() => seal(true)),
          Effect.sleep(seconds * 1_000)
        ),
        Effect.sync(() => seal(false))
      ),
    locked: ({ exec }, seconds) =>
      Effect.suspend(() =>
        exec("BEGIN IMMEDIATE")
          ? Effect.ensuring(
              Effect.sleep(seconds * 1_000),
              Effect.sync(() => exec("ROLLBACK"))
            )
          : Effect.void
      )
  }
}

const foldersIn = (folder: string): ReadonlyArray<string> =>
  existsSync(folder)
    ? readdirSync(folder, { withFileTypes: true, recursive: true })
        .filter((entry) => entry.isDirectory())
        .map((entry) => join(entry.parentPath, entry.name))
    : []
