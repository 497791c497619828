import { Effect, type Option, Stream } from "effect"
import type { Content } from "../../src/domain/Content.ts"
import * as Executor from "../../src/executor/Executor.ts"
import * as Settings from "../../src/executor/Settings.ts"

export type Work = (items: ReadonlyArray<Content>) => Effect.Effect<ReadonlyArray<Content>, Executor.ExecutorError>

export type Source = (checkpoint: Option.Option<number>) => Stream.Stream<Executor.CrawlBatch, Executor.ExecutorError>

/** Executor types whose work a test says, by the setting `of`, and what happened to them. */
export interface Probes {
  readonly executors: ReadonlyArray<Executor.Executor<never>>
  /** What nodes of the type `probe` do; without an entry they give their items on. */
  readonly work: Map<string, Work>
  /** What nodes of the type `probe_source` find when they crawl; without an entry nothing. */
  readonly sources: Map<string, Source>
  /** The items of every run of a probe. A source's are empty: it runs only when it must list by itself. */
  readonly runs: (of: string) => ReadonlyArray<ReadonlyArray<Content>>
  /** The checkpoint of every crawl that began. */
  readonly crawls: (of: string) => ReadonlyArray<Option.Option<number>>
  /** How often the node's settings were decoded, which is once each time its definition is compiled. */
  readonly prepared: (of: string) => number
}

export const make = (): Probes => {
  const work = new Map<string, Work>()
  const sources = new Map<string, Source>()
  const runs = new Map<string, Array<ReadonlyArray<Content>>>()
  const crawls = new Map<string, Array<Option.Option<number>>>()
  const prepared = new Map<string, number>()
  const of = Settings.string({ description: "Whose.", required: true })
  const probe = Executor.define({
    type: "probe",
    category: "Utility",
    name: "Probe",
    description: "Does what a test says.",
    settings: { of },
    make: (settings) =>
      Effect.succeed({
        process: (items) => {
          added(runs, settings.of, items)
          return work.get(settings.of)?.(items) ?? Effect.succeed(items)
        }
      })
  })
  const source = Executor.define({
    type: "probe_source",
    category: "input",
    name: "Probe Source",
    description: "Finds what a test says.",
    canCrawl: true,
    settings: { of, polling_interval_seconds: Settings.number({ description: "Rhythm.", default: 1 }) },
    make: (settings) =>
      Effect.succeed({
        process: () => {
          added(runs, settings.of, [])
          return Effect.succeed([])
        },
        crawl: (checkpoint) => {
          added(crawls, settings.of, checkpoint)
          return sources.get(settings.of)?.(checkpoint) ?? found()
        }
      })
  })
  const counted: Executor.Executor<never> = {
    ...probe,
    prepare: (raw) => {
      const whose = String(raw["of"])
      prepared.set(whose, (prepared.get(whose) ?? 0) + 1)
      return probe.prepare(raw)
    }
  }
  return {
    executors: [counted, source],
    work,
    sources,
    runs: (of) => runs.get(of) ?? [],
    crawls: (of) => crawls.get(of) ?? [],
    prepared: (of) => prepared.get(of) ?? 0
  }
}

const added = <A>(lists: Map<string, Array<A>>, key: string, value: A) => {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [value])
  else list.push(value)
}

/** When the sources' service answers: long ago, so that no test waits for a clock. */
export const servedAt = Date.parse("2026-01-02T10:00:00Z")

/** Documents of one version each, in one batch. */
export const found = (...documents: ReadonlyArray<Content>): Stream.Stream<Executor.CrawlBatch> =>
  Stream.make({ documents: documents.map((item) => ({ item, version: "1" })), servedAt })

/** How a probe fails. */
export const failure = (reason: Executor.ExecutorError["reason"], message: string) =>
  new Executor.ExecutorError({ reason, executorId: "probe", itemId: null, message })
