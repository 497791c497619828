import { fileURLToPath } from "node:url"

/** What a runtime needs before the name of a script. */
export const scriptArguments: ReadonlyArray<string> = "Deno" in globalThis ? ["run", "-A"] : []

/** The file of this name beside a module, which is TypeScript or what a bundler made of it. */
export const script = (beside: string, name: string): string =>
  fileURLToPath(new URL(`./${name}${beside.slice(beside.lastIndexOf("."))}`, beside))
