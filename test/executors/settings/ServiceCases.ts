import { assert, describe, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import { ExecutorId } from "../../../src/domain/Ids.ts"
import type { Executor } from "../../../src/executor/Executor.ts"
import * as LocalFiles from "../../support/LocalFiles.ts"
import * as Prism from "../../support/Prism.ts"
import * as RoutedServices from "../../support/RoutedServices.ts"
import * as StandIn from "../../support/StandIn.ts"
import { item } from "../NodeRun.ts"
import * as SettingCases from "./SettingCases.ts"

export type Data = Readonly<Record<string, unknown>>

/** A run against a service of its own state, and what the service was asked. */
export interface Seen<S> {
  readonly data: Data
  readonly summary: Data
  readonly items: ReadonlyArray<Data>
  readonly error: string
  readonly asked: ReadonlyArray<StandIn.Asked>
  /** Milliseconds between one request and the next. */
  readonly gaps: ReadonlyArray<number>
  readonly most: number
  readonly service: S
}

/** A value of a setting, and what follows from it. */
export interface Case<S> {
  readonly value: unknown
  readonly with?: SettingCases.Settings
  readonly items?: ReadonlyArray<Data>
  readonly service?: () => S
  readonly expect: (seen: Seen<S>) => void
}

type Provided = Layer.Layer.Success<ReturnType<typeof RoutedServices.layer>>
type Runnable = Omit<Executor<never>, "prepare"> & { readonly prepare: Executor<Provided>["prepare"] }

/** A type that calls a service. */
export interface ServiceType<S> {
  readonly executor: Runnable
  readonly required: SettingCases.Settings
  readonly defaults: SettingCases.Settings
  readonly data: Data
  /** The address that its settings name. */
  readonly host: string
  /** What requests and answers are compared with; undefined where there is none at hand. */
  readonly description: Record<string, unknown> | undefined
  /** A call that breaks the description. */
  readonly wrong?: { readonly path: string; readonly init: RequestInit }
  /** Paths that the description leaves out. */
  readonly undescribed?: (pathname: string) => boolean
  readonly service: () => S
  readonly respond: (
    service: S,
    asked: StandIn.Asked
  ) => StandIn.Answer | "silence" | Promise<StandIn.Answer | "silence">
  readonly cases: Readonly<Record<string, ReadonlyArray<Case<S>>>>
}

/** Runs all cases of a type over HTTP; those without a description at the same time, since they share nothing. */
export const runAll = <S>(type: ServiceType<S>): void => {
  const { cases, defaults, description, executor, required } = type
  class World extends Context.Tag(`contentflow-worker/test/executors/settings/${executor.type}`)<
    World,
    {
      readonly run: (settings: SettingCases.Settings, one: Omit<Case<S>, "value" | "expect">) => Effect.Effect<Seen<S>>
      readonly described: string
    }
  >() {}

  const runOn = (
    standIn: StandIn.StandIn,
    route: RoutedServices.Route,
    service: S,
    settings: SettingCases.Settings,
    items: ReadonlyArray<Data>
  ): Effect.Effect<Seen<S>> =>
    Effect.gen(function* () {
      const from = standIn.asked.length
      standIn.reset()
      const prepared = executor.prepare(settings)
      const result = Either.isLeft(prepared)
        ? Either.left(prepared.left.map(({ message }) => message).join(" "))
        : yield* prepared.right({ id: ExecutorId.make("node"), pipelineName: "test", failOnError: true }).pipe(
            Effect.flatMap((instance) => instance.process(items.map((data) => item(data)))),
            Effect.mapError(({ message }) => message),
            Effect.either,
            Effect.scoped,
            LocalFiles.withRoots(),
            Logger.withMinimumLogLevel(LogLevel.None),
            Effect.provide(Layer.fresh(RoutedServices.layer(route)))
          )
      const done = Either.getOrElse(result, () => [])
      const asked = standIn.asked.slice(from)
      return {
        data: done[0]?.data ?? {},
        summary: done[0]?.summary_data ?? {},
        items: done.map(({ data }) => data),
        error: Either.isLeft(result) ? result.left : "",
        asked,
        gaps: asked.slice(1).map(({ at }, index) => at - (asked[index]?.at ?? at)),
        most: standIn.most(),
        service
      }
    })

  const routeTo =
    (standIn: string, described: string): RoutedServices.Route =>
    ({ hostname, pathname }) =>
      hostname !== type.host ? undefined : type.undescribed?.(pathname) === true ? standIn : described

  const world = Layer.scoped(
    World,
    Effect.gen(function* () {
      const itemsOf = (one: Pick<Case<S>, "items">) => one.items ?? [type.data]
      if (description === undefined) {
        return {
          described: "",
          run: (settings, one) =>
            Effect.scoped(
              Effect.gen(function* () {
                const service = (one.service ?? type.service)()
                const standIn = yield* StandIn.make((asked) => type.respond(service, asked))
                return yield* runOn(standIn, routeTo(standIn.url, standIn.url), service, settings, itemsOf(one))
              })
            )
        }
      }
      let service = type.service()
      const standIn = yield* StandIn.make((asked) => type.respond(service, asked))
      const described = yield* Prism.between(description, standIn.url)
      return {
        described,
        run: (settings, one) =>
          Effect.suspend(() => {
            service = (one.service ?? type.service)()
            return runOn(standIn, routeTo(standIn.url, described), service, settings, itemsOf(one))
          })
      }
    })
  )

  const how =
    description === undefined
      ? "without a description of the service"
      : "each request and answer compared with the service's own description"
  describe(`settings, ${how}`, () => {
    SettingCases.checked({
      executor,
      problems: SettingCases.problemsOf(executor),
      required,
      defaults,
      values: cases
    })
    layer(world, { excludeTestServices: true, timeout: "2 minutes" })((it) => {
      const { wrong } = type
      if (description !== undefined && wrong !== undefined) {
        it.effect(`${executor.type}: the description refuses what breaks it`, () =>
          Effect.gen(function* () {
            const { described } = yield* World
            assert.strictEqual(yield* Prism.refusal(`${described}${wrong.path}`, wrong.init), 422)
          })
        )
      }
      for (const [setting, all] of Object.entries(cases)) {
        for (const [index, one] of all.entries()) {
          it.effect(
            `${executor.type}, ${setting}: ${(JSON.stringify(one.value) ?? "absent").slice(0, 60)} (${index + 1})`,
            () =>
              Effect.gen(function* () {
                const { run } = yield* World
                one.expect(yield* run({ ...required, ...one.with, [setting]: one.value }, one))
              }),
            description === undefined ? { concurrent: true } : {}
          )
        }
      }
    })
  })
}

export const succeeded = ({ error }: { readonly error: string }): void => {
  if (error !== "") throw new Error(error)
}
