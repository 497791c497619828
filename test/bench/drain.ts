import { Effect, Logger, type Scope } from "effect"
import { spawn } from "node:child_process"
import process from "node:process"
import { bareDrain } from "./BareDrain.ts"
import * as Measurement from "./Measurement.ts"
import { script, scriptArguments } from "../support/Scripts.ts"
import { engineDrain } from "./EngineDrain.ts"
import { folderCrawl } from "./FolderCrawl.ts"
import { bareFolderDrain, folderDrain } from "./FolderDrain.ts"
import { memoryDrain } from "./MemoryDrain.ts"

/**
 * What a task costs. Prints one row a measurement: the engine and a bare SDK loop on emulators, then the engine on a folder beside a bare loop of SQL statements, and alone on memory layers.
 * Every measurement has processes of its own, so that memory and compiled code are its own. Arguments: the number of tasks on
 * emulators (2000) and on memory layers (100000); or `engine|bare|folder|bare-folder|folder-crawl|memory <workers> <tasks>` for one measurement.
 */
const main = async (args: ReadonlyArray<string>): Promise<void> => {
  const [kind, first, second] = args
  if (kind === "memory") return measured(memoryDrain(Number(second), Number(first)))
  if (kind === "folder") return measured(folderDrain(Number(second), Number(first)))
  if (kind === "bare-folder") return measured(bareFolderDrain(Number(second), Number(first)))
  if (kind === "folder-crawl") return measured(folderCrawl(Number(second)))
  if (kind === "engine") return measured(Measurement.measure(engineDrain, Number(first), Number(second)))
  if (kind === "bare") return measured(Measurement.measure(bareDrain, Number(first), Number(second)))
  return all(Number(kind ?? 2_000), Number(first ?? 100_000))
}

const measured = async <A>(measurement: Effect.Effect<A, unknown, Scope.Scope>): Promise<void> => {
  const quiet = Effect.provide(Effect.scoped(measurement), Logger.remove(Logger.defaultLogger))
  print(JSON.stringify(await Effect.runPromise(quiet)))
  process.exit(0)
}

const all = async (tasks: number, memoryTasks: number): Promise<void> => {
  print(`${tasks} pass_through tasks on emulators, ${process.version}`)
  print(row(["workers", "", "tasks/s", "CPU ms/task", "calls/task", "receives/task", "peak MB"]))
  for (const workers of [1, 4, 16, 64]) {
    // In turns, so that what else the machine does costs both the same.
    const half = Math.ceil(tasks / 2)
    const run = (kind: string) => inProcess<Measurement.DrainResult>(kind, workers, half)
    const [first, second, third, fourth] = [
      await run("engine"),
      await run("bare"),
      await run("bare"),
      await run("engine")
    ]
    const engine = Measurement.mean(first, fourth)
    const bare = Measurement.mean(second, third)
    print(rowOf(workers, "engine", engine))
    print(rowOf(workers, "bare SDK loop", bare))
    const cpu = engine.cpuMillisPerTask / bare.cpuMillisPerTask
    const speed = engine.tasksPerSecond / bare.tasksPerSecond
    print(row(["", "engine : bare", speed.toFixed(2), cpu.toFixed(2), "", "", ""]))
  }
  print(`${memoryTasks} pass_through tasks in a folder`)
  print(row(["workers", "", "tasks/s", "us/task", "CPU us/task", "", "peak MB"]))
  for (const workers of [1, 4, 16, 64]) {
    for (const [kind, name] of [
      ["folder", "engine"],
      ["bare-folder", "bare SQL loop"]
    ] as const) {
      const { cpuMillisPerTask, microsPerTask, peakMegabytes, tasksPerSecond } = await inProcess<
        Effect.Effect.Success<ReturnType<typeof folderDrain>>
      >(kind, workers, memoryTasks)
      const numbers = [tasksPerSecond, microsPerTask, cpuMillisPerTask * 1_000].map((value) => value.toFixed(0))
      print(row([String(workers), name, ...numbers, "", peakMegabytes.toFixed(0)]))
    }
  }
  print(`A crawl of ${memoryTasks} small files in a folder, to as many tasks in its queue`)
  print(row(["", "", "documents/s", "us/document", "CPU us/document", "MB before", "peak MB"]))
  const crawl = await inProcess<Effect.Effect.Success<ReturnType<typeof folderCrawl>>>("folder-crawl", 0, memoryTasks)
  const { cpuMillisPerTask, megabytesBefore, microsPerTask, peakMegabytes, tasksPerSecond } = crawl
  const cells = [tasksPerSecond, microsPerTask, cpuMillisPerTask * 1_000, megabytesBefore, peakMegabytes]
  print(row(["", "engine", ...cells.map((value) => value.toFixed(0))]))
  print(`${memoryTasks} pass_through tasks on memory layers`)
  print(row(["workers", "", "tasks/s", "us/task", "CPU us/task", "", "peak MB"]))
  for (const workers of [1, 4, 16, 64]) {
    const { cpuMillisPerTask, microsPerTask, peakMegabytes, tasksPerSecond } = await inProcess<
      Awaited<Effect.Effect.Success<ReturnType<typeof memoryDrain>>>
    >("memory", workers, memoryTasks)
    const numbers = [tasksPerSecond, microsPerTask, cpuMillisPerTask * 1_000].map((value) => value.toFixed(0))
    print(row([String(workers), "engine alone", ...numbers, "", peakMegabytes.toFixed(0)]))
  }
}

/** Runs one measurement in a process of its own. */
const inProcess = <A>(kind: string, workers: number, tasks: number): Promise<A> =>
  new Promise((resolve, reject) => {
    const child = spawn(
      process.execPath,
      [...scriptArguments, script(import.meta.url, "drain"), kind, String(workers), String(tasks)],
      {
        stdio: ["ignore", "pipe", "inherit"]
      }
    )
    let output = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text
    })
    child.once("close", (code) =>
      code === 0
        ? resolve(JSON.parse(output) as A)
        : reject(new Error(`The measurement ${kind} ${workers} ended with code ${code}.`))
    )
  })

const rowOf = (workers: number, name: string, result: Measurement.DrainResult): string =>
  row([
    String(workers),
    name,
    result.tasksPerSecond.toFixed(0),
    result.cpuMillisPerTask.toFixed(2),
    result.callsPerTask.toFixed(2),
    result.receivesPerTask.toFixed(2),
    result.peakMegabytes.toFixed(0)
  ])

const row = (cells: ReadonlyArray<string>): string =>
  cells.map((cell, index) => (index === 1 ? cell.padEnd(14) : cell.padStart(13))).join(" ")

const print = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

await main(process.argv.slice(2))
