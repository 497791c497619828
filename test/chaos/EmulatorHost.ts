import { Duration, Effect, Exit, Scope, Stream } from "effect"
import type { Server } from "node:http"
import type { AddressInfo } from "node:net"
import process from "node:process"
import { createInterface } from "node:readline"
import * as Emulators from "../../src/cli/demo/Emulators.ts"
import * as StandIn from "../../src/cli/demo/standins/StandIn.ts"
import type { Addresses } from "./EmulatorProcess.ts"
import * as Model from "./Model.ts"

/**
 * The emulators and a model in a process of their own, the Storage emulator with its data in the folder that the first argument names. Says where it
 * listens in one line of JSON; then reads lines: `restart storage <milliseconds away>` or `restart cosmos <milliseconds away>`, each
 * answered by the line `restarted`. Ends with its input.
 */

const portOf = (url: string): number => Number(new URL(url).port)

const storage = (folder: string) =>
  Effect.gen(function* () {
    const life = { scope: yield* Scope.make() }
    const first = yield* Scope.extend(Emulators.storageAt({ folder, queuePort: 0, blobPort: 0 }), life.scope)
    const place = { folder, queuePort: portOf(first.queueUrl), blobPort: portOf(first.blobUrl) }
    const restart = Effect.fnUntraced(function* (away: Duration.Duration) {
      yield* Scope.close(life.scope, Exit.void)
      yield* Effect.sleep(away)
      life.scope = yield* Scope.make()
      yield* Scope.extend(Emulators.storageAt(place), life.scope)
    })
    return { addresses: first, restart }
  })

/** Its data lives in memory, so what restarts is its server: every connection is cut, and none is accepted for a while. */
const cosmos = Effect.gen(function* () {
  const servers: Array<Server> = []
  const address = yield* Emulators.cosmos((server) => {
    // A busy machine may leave a connection alone for longer than the usual 5 s, and then use it as it is closed.
    server.keepAliveTimeout = 600_000
    servers.push(server)
  })
  const restart = Effect.fnUntraced(function* (away: Duration.Duration) {
    for (const server of servers) {
      const { port } = server.address() as AddressInfo
      // It would begin with an empty account each time that it listens.
      server.removeAllListeners("listening")
      yield* Effect.async<void>((resume) => {
        server.close(() => resume(Effect.void))
        server.closeAllConnections()
      })
      yield* Effect.sleep(away)
      yield* Effect.async<void>((resume) => {
        server.listen(port, "127.0.0.1", () => resume(Effect.void))
      })
    }
  })
  return { address, restart }
})

const main = Effect.gen(function* () {
  const [folder = "."] = process.argv.slice(2)
  const kept = yield* storage(folder)
  const documents = yield* cosmos
  const addresses: Addresses = {
    storage: kept.addresses,
    cosmosEndpoint: documents.address,
    models: yield* StandIn.serve(Model.handle)
  }
  process.stdout.write(`${JSON.stringify(addresses)}\n`)
  yield* Stream.runForEach(
    Stream.fromAsyncIterable(createInterface({ input: process.stdin }), (cause) => cause),
    (line) => {
      const [, which, millis] = line.split(" ")
      const restart = which === "storage" ? kept.restart : documents.restart
      return Effect.andThen(restart(Duration.millis(Number(millis))), () => process.stdout.write("restarted\n"))
    }
  )
}).pipe(Effect.scoped)

// Azurite's dependencies make Node warn of things that nobody can change here.
process.noDeprecation = true
await Effect.runPromise(main)
process.exit(0)
