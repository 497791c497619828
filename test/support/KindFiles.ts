import { existsSync, readdirSync, readFileSync } from "node:fs"

const shared = new URL("../../../shared/", import.meta.url)

/** The folder beside the checkout with small documents, each of a kind that readers get wrong; undefined where there is none. */
export const kindFolder: URL | undefined = (existsSync(shared) ? readdirSync(shared) : [])
  .map((name) => new URL(`${name}/documents/`, shared))
  .find((folder) => existsSync(new URL("README.md", folder)) && readdirSync(folder).some((name) => /^\d\d-/.test(name)))

/** The name of the file with this number. */
export const kindName = (number: number): string =>
  kindFolder === undefined
    ? ""
    : (readdirSync(kindFolder).find((name) => name.startsWith(`${String(number).padStart(2, "0")}-`)) ?? "")

export const kindBytes = (number: number): Uint8Array =>
  kindFolder === undefined
    ? new Uint8Array()
    : new Uint8Array(readFileSync(new URL(encodeURIComponent(kindName(number)), kindFolder)))
