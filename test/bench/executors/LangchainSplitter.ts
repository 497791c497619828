import { Effect, Option } from "effect"
import { existsSync } from "node:fs"
import { createRequire } from "node:module"
import { resolve } from "node:path"
import process from "node:process"

/** What is used of `@langchain/textsplitters`, which has its own package beside this folder, so that the gate does without it. */
interface TextSplitters {
  readonly RecursiveCharacterTextSplitter: new (options: {
    readonly chunkSize: number
    readonly chunkOverlap: number
  }) => { readonly splitText: (text: string) => Promise<ReadonlyArray<string>> }
}

export const install = "npm install --no-save --prefix test/bench/textsplitters"

/** Its recursive splitter with the sizes of ours; none where it is not installed. */
export const make = (chunkSize: number, chunkOverlap: number) =>
  Effect.sync(() => {
    const home = resolve(process.cwd(), "test/bench/textsplitters")
    if (!existsSync(resolve(home, "node_modules/@langchain/textsplitters"))) return Option.none()
    // a `require`, because Deno looks for the imports of a package nowhere but in its own folder
    const library: TextSplitters = createRequire(resolve(home, "package.json"))("@langchain/textsplitters")
    const splitter = new library.RecursiveCharacterTextSplitter({ chunkSize, chunkOverlap })
    return Option.some((text: string) => Effect.promise(() => splitter.splitText(text)))
  })
