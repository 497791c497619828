import { randomBytes } from "node:crypto"
import { mkdir, open, readdir, rm, stat } from "node:fs/promises"
import { join } from "node:path"
import * as BlobFiles from "./BlobFiles.ts"
import * as FileAge from "./FileAge.ts"
import * as FileErrors from "./FileErrors.ts"

/** The body in a file of its own, on the disk: what is left is one rename. */
export const write = async (root: string, body: Uint8Array) => {
  const folder = join(root, BlobFiles.incomingFolder)
  await mkdir(folder, { recursive: true })
  const path = join(folder, randomBytes(12).toString("hex"))
  const file = await open(path, "wx")
  try {
    await file.writeFile(body)
    await file.datasync()
    return { path, state: BlobFiles.stateFrom(await file.stat({ bigint: true })) }
  } catch (thrown) {
    await rm(path, { force: true })
    throw thrown
  } finally {
    await file.close()
  }
}

/** A rename is on the disk when its folder is. Windows opens no folders. */
export const settle = async (folder: string) => {
  const opened = await open(folder, "r").catch(() => undefined)
  if (opened === undefined) return
  try {
    await opened.sync()
  } catch (thrown) {
    if (!FileErrors.isSystemError(thrown) || thrown.code !== "EINVAL") throw thrown
  } finally {
    await opened.close()
  }
}

/** What killed processes have left behind. */
export const sweep = async (root: string) => {
  const folder = join(root, BlobFiles.incomingFolder)
  for (const name of await readdir(folder).catch(() => [])) {
    const path = join(folder, name)
    const found = await stat(path).catch(() => undefined)
    if (found !== undefined && FileAge.of(found.mtimeMs) > leftOver) {
      await rm(path, { force: true })
    }
  }
}
const leftOver = 3_600_000
