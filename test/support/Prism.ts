import { Deferred, Effect, type Scope } from "effect"
import { spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** The services' own descriptions lie beside the checkout. */
const folder = new URL("../../../shared/specs/", import.meta.url)

type Json = Record<string, unknown>

/** A service's description; undefined where it is not at hand, so that a test can skip. */
export const description = (name: string): Json | undefined => {
  try {
    return JSON.parse(readFileSync(new URL(name, folder), "utf8")) as Json
  } catch {
    return undefined
  }
}

/**
 * A server between a client and a stand-in (`upstream`) that compares each request and each answer with the description. What breaks it is
 * answered with `application/problem+json`. Gives its address.
 */
export const between = (document: Json, upstream: string): Effect.Effect<string, never, Scope.Scope> =>
  Effect.gen(function* () {
    const place = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "prism-"))),
      (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
    )
    const file = join(place, "description.json")
    writeFileSync(file, JSON.stringify(document))
    const started = yield* Deferred.make<string>()
    yield* Effect.acquireRelease(
      Effect.sync(() => {
        const child = spawn(
          process.execPath,
          [...("Deno" in globalThis ? ["run", "-A"] : []), cli, "proxy", file, upstream, "--port", "0", "--errors"],
          { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, NO_COLOR: "1" } }
        )
        let output = ""
        const read = (chunk: Buffer) => {
          output += chunk.toString("utf8")
          const address = /Prism is listening on (http:\/\/127\.0\.0\.1:\d+)/.exec(output)?.[1]
          if (address !== undefined) Deferred.unsafeDone(started, Effect.succeed(address))
        }
        child.stdout.on("data", read)
        child.stderr.on("data", read)
        child.on("exit", (code) => {
          Deferred.unsafeDone(started, Effect.dieMessage(`Prism ended with ${code}: ${output}`))
        })
        return child
      }),
      (child) =>
        Effect.async<void>((resume) => {
          if (child.exitCode !== null || child.signalCode !== null) return resume(Effect.void)
          child.on("close", () => resume(Effect.void))
          child.kill("SIGKILL")
        })
    )
    return yield* Deferred.await(started)
  })

/** The status with which a call is refused that breaks the description; 0 for one that was not. */
export const refusal = (url: string, init: RequestInit): Effect.Effect<number> =>
  Effect.promise(async () => {
    const response = await fetch(url, init)
    const text = await response.text()
    return text.includes("stoplight.io/prism/errors") ? response.status : 0
  })

const require = createRequire(import.meta.url)
const cli = join(require.resolve("@stoplight/prism-cli/package.json"), "../dist/index.js")
