import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { Installation } from "../../operations/Installation.ts"
import { NoSuchThing } from "../../operations/Operation.ts"
import type { Worker } from "../../operations/Worker.ts"
import * as EachOf from "./EachOf.ts"
import type { WatchedOptions } from "./Executions.ts"
import * as Listed from "./Listed.ts"
import * as Listing from "./Listing.ts"
import * as Place from "./Place.ts"
import * as Watch from "./Watch.ts"

const megabytes = (bytes: number): string => `${Math.round(bytes / 1024 ** 2)} MB`

/** What a loop says of itself while it waits. */
const isIdle = ({ doing }: Worker["processing"][number]): boolean => doing === "idle"

const busy = (loops: Worker["processing"]): string =>
  `${loops.filter((loop) => !isIdle(loop)).length} of ${loops.length}`

const stateOf = ({ draining, stalled }: Worker): string =>
  [...(draining ? ["draining"] : []), ...(stalled.length > 0 ? ["stalled"] : [])].join(", ") || "at work"

const columns: ReadonlyArray<Listing.Column<Worker>> = [
  ["PROCESS", (worker) => worker.process],
  ["NAME", ({ worker_name }) => worker_name],
  ["VERSION", ({ version }) => version],
  ["HOST", ({ host }) => host],
  ["SINCE", ({ started_at }) => Listing.time(started_at)],
  ["MEMORY", ({ memory_bytes }) => megabytes(memory_bytes)],
  ["BUSY", ({ processing }) => busy(processing)],
  ["STATE", stateOf]
]

export interface ListOptions extends Place.Place, Watch.WatchOptions {
  readonly json: boolean
}

/** Lists the worker processes that run. */
export const list = (options: ListOptions) =>
  Effect.gen(function* () {
    const found = yield* Effect.flatMap(Installation, ({ workers }) => workers.list)
    yield* Listing.print(found, columns, options.json, "No worker has told of itself in the last minute.")
    return 0
  }).pipe(Watch.redrawn(options), Place.at(options))

/** Shows one worker process with what each of its loops does. */
export const show = (options: WatchedOptions) =>
  Effect.gen(function* () {
    const found = (yield* Effect.flatMap(Installation, ({ workers }) => workers.list)).find(
      (worker) => worker.process === options.id
    )
    if (found === undefined) {
      return yield* Listed.by("workers")(new NoSuchThing({ message: `There is no live worker ${options.id}.` }))
    }
    yield* Console.log(options.json ? JSON.stringify(found, null, 2) : describe(found))
    return 0
  }).pipe(Watch.redrawn(options), Place.at(options))

const describe = (worker: Worker): string =>
  [
    Listing.facts({
      Process: worker.process,
      Name: worker.worker_name,
      Version: `${worker.version} on ${worker.runtime}`,
      Host: `${worker.host}, process ${worker.pid}`,
      Since: Listing.time(worker.started_at),
      "Last word": Listing.time(worker.updated_at),
      Memory: megabytes(worker.memory_bytes),
      "Messages held": worker.leases,
      State: stateOf(worker),
      Stalled: worker.stalled.join(", ")
    }),
    "",
    Listing.table(
      [
        ["LOOP", ({ name }) => name],
        ["DOES", ({ doing }) => doing],
        ["SINCE", ({ since }) => Listing.time(since)]
      ],
      [
        ...worker.processing.map((loop) => ({ ...loop, name: `processing ${loop.id}` })),
        ...worker.source.map((loop) => ({ ...loop, name: `source ${loop.id}` }))
      ]
    )
  ].join("\n")

export interface DrainOptions extends Place.Place {
  readonly ids: ReadonlyArray<string>
  readonly json: boolean
}

/** Lets workers finish what they have, and take nothing more. */
export const drain = (options: DrainOptions) =>
  Effect.flatMap(Installation, ({ workers }) =>
    EachOf.eachOf(options.ids, (id, by) => Listed.by("workers")(workers.drain(id, by)), options.json)
  ).pipe(Place.at(options))
