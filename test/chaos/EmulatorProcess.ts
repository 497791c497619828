import { Effect, Schema } from "effect"
import { spawn } from "node:child_process"
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { createInterface } from "node:readline"
import { EmulatorAddresses } from "../bench/Emulation.ts"
import { script, scriptArguments } from "../support/Scripts.ts"

export const Addresses = Schema.Struct({ ...EmulatorAddresses.fields, models: Schema.String })
export type Addresses = typeof Addresses.Type

/** The emulators in a process of their own, with their data below this folder; they end with the scope. */
export const start = (folder: string) => {
  const place = join(folder, "emulators")
  mkdirSync(place)
  return Effect.acquireRelease(
    Effect.async<{
      readonly addresses: Addresses
      readonly restart: (emulator: string, away: number) => Effect.Effect<void>
      readonly stop: () => void
    }>((resume) => {
      const child = spawn(process.execPath, [...scriptArguments, script(import.meta.url, "EmulatorHost"), place], {
        stdio: ["pipe", "pipe", "inherit"]
      })
      child.once("exit", (code) => resume(Effect.dieMessage(`The emulators ended with code ${code}.`)))
      const lines = createInterface({ input: child.stdout })
      lines.once("line", (line) =>
        resume(
          Effect.succeed({
            addresses: Schema.decodeSync(Schema.parseJson(Addresses))(line),
            restart: (emulator, away) =>
              Effect.async<void>((resume) => {
                lines.once("line", () => resume(Effect.void))
                child.stdin.write(`restart ${emulator} ${away}\n`)
              }),
            stop: () => child.kill()
          })
        )
      )
    }),
    ({ stop }) => Effect.sync(stop)
  )
}
