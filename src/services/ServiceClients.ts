import type * as FileSystem from "@effect/platform/FileSystem"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { EndpointValves, type Judge } from "../concurrency/EndpointValves.ts"
import * as MonotonicTime from "../concurrency/MonotonicTime.ts"
import * as CutText from "../text/CutText.ts"
import * as ClientSpan from "../azure/ClientSpan.ts"
import { WorkerConfig } from "../config/WorkerConfig.ts"
import { redact } from "../domain/Redaction.ts"
import type { RunFacts } from "../executor/RunFacts.ts"
import { type Meter, none as nothing, type Usage } from "../executor/Usage.ts"
import * as AnswerErrors from "./AnswerErrors.ts"
import { CallError, judge, mayHeal } from "./CallError.ts"
import * as Endpoint from "./Endpoint.ts"
import * as Governor from "./Governor.ts"
import { type Ended, type FixedLimits, Governors } from "./Governor.ts"
import * as IdentityTokens from "./IdentityTokens.ts"
import * as Metrics from "./Metrics.ts"
import * as Prices from "./Prices.ts"
import * as Quotations from "./Quotations.ts"
import * as RateHeaders from "./RateHeaders.ts"
import * as Http from "./ServiceHttp.ts"
import { type HttpAnswer, type HttpFailure, ServiceHttp } from "./ServiceHttp.ts"

/** How a client signs in. */
export type SignIn =
  | { readonly _tag: "Key"; readonly header: string; readonly prefix: string; readonly key: Redacted.Redacted }
  /** With the worker's own identity; `orNone` signs in with nothing where the host may not have it. */
  | { readonly _tag: "Identity"; readonly scope: string; readonly orNone?: boolean }
  | { readonly _tag: "None" }

export interface ClientOptions {
  /** For people: `Azure OpenAI`, `Document Intelligence`, … */
  readonly service: string
  /** The executor's type, for metrics. */
  readonly type: string
  /** The task behind the run: calls of several tasks take turns, and none waits longer than its task may take. */
  readonly run?: RunFacts | undefined
  /** The node's meter; calls may name an item's instead. */
  readonly meter?: Meter | undefined
  readonly endpoint: Endpoint.Endpoint
  readonly signIn: SignIn
  /** The deployment, model, analyzer or index that the calls share limits on; null for the endpoint alone. */
  readonly deployment: string | null
  /** What `deployment` is, for people; `deployment` when absent. */
  readonly noun?: string
  readonly settings: AnswerErrors.Callee["settings"]
  readonly limits?: FixedLimits
  /** Calls after the first, for what may heal; waiting for a limit is none of them. */
  readonly retries: { readonly times: number; readonly delay: Duration.Duration; readonly factor: number }
  /** From sending to the last byte of the answer. */
  readonly timeout: Duration.Duration
}

export interface Call {
  /** For people, logs and spans: `analyze prebuilt-layout`. No text of a document. */
  readonly operation: string
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE"
  /** Appended to the endpoint; its parts are encoded already. */
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON. */
  readonly json?: unknown
  readonly bytes?: { readonly data: Uint8Array; readonly contentType: string }
  /** Tokens that the call will be charged for, as well as that is known. */
  readonly tokens?: number
  /** Where the usage of this call is counted: an item's meter. */
  readonly meter?: Meter | undefined
  /** Reads from the answer what the call is charged for; without it one call without tokens and pages is counted. */
  readonly usage?: (
    answer: Answer
  ) => Partial<Pick<Usage, "model" | "inputTokens" | "cachedTokens" | "outputTokens" | "pages">>
  /** Statuses beside 2xx that are an answer and no error. */
  readonly accepted?: ReadonlyArray<number>
  /** Whether an answer without a body is right. Its `json` is undefined. */
  readonly mayBeEmpty?: boolean
  /** An `error` in an answer of 2xx is part of it: that of the operation which it describes. */
  readonly mayHoldError?: boolean
  /** What an error may quote beside the request itself: the document that an operation works on. */
  readonly quotable?: unknown
  /** The answer is no JSON: its `json` is undefined. */
  readonly isBinary?: boolean
  readonly maxBytes?: number
}

export interface Answer extends HttpAnswer {
  /** Decoded from the body. */
  readonly json: unknown
}

/** An operation that the service goes on with after it answered. */
export interface Operation {
  /** Reads how it fares from what its address answers. */
  readonly state: (json: unknown) => OperationState
  /** Between the first looks; grows to `longest`. A `Retry-After` counts instead. */
  readonly interval: Duration.Duration
  readonly longest: Duration.Duration
  /** Since the service accepted it: waiting for a turn before is not the operation's time. */
  readonly within: Duration.Duration
  /** Kept by the caller: where a started operation can be looked at. One that is set is gone on with, so that nothing is paid twice. */
  readonly address?: OperationAddress
}

export interface OperationAddress {
  url: string | undefined
  /** Done whenever `url` has changed, before anything else is called. */
  readonly moved?: (url: string | undefined) => Effect.Effect<void>
}

export type OperationState =
  | { readonly _tag: "Running" }
  | { readonly _tag: "Succeeded" }
  | { readonly _tag: "Failed"; readonly message: string }
  /** What was answered is no state of an operation. */
  | { readonly _tag: "Unreadable" }

/** One service at one endpoint, for one node. */
export interface ServiceClient {
  /**
   * One call: waits for its turn, signs in, sends, reads. Repeats what may heal; a refusal for the limits' sake waits, without counting.
   * Every failure has a readable message; an answer with an error inside is one, whatever its status.
   */
  readonly call: (call: Call) => Effect.Effect<Answer, CallError>
  /** Starts an operation (the answer names its address in `Operation-Location`) and looks until it has ended; the answer is the last one. */
  readonly operate: (start: Call, operation: Operation) => Effect.Effect<Answer, CallError>
  /** An error of this service, for what only the caller can judge. */
  readonly error: (reason: CallError["reason"], message: string) => CallError
}

/** Opens clients of model, analysis and search services. Nothing is called yet. */
export class ServiceClients extends Context.Tag("contentflow-worker/services/ServiceClients")<
  ServiceClients,
  {
    /** Fails when the worker must not call this endpoint so: no https, or its identity to a host that is not Azure's. */
    readonly open: (options: ClientOptions) => Effect.Effect<ServiceClient, CallError>
  }
>() {}

/** An answer is read into memory. */
const defaultMaxBytes = 64 * 1024 * 1024
/** A wait between two tries in a node; what takes longer is left to the retry of the task. */
const longestDelay = Duration.minutes(1)

const make = Effect.gen(function* () {
  const http = yield* ServiceHttp
  const governors = yield* Governors
  const valves = yield* EndpointValves
  const { aiPrices, serviceHostAllowlist } = yield* WorkerConfig
  const tokens = yield* IdentityTokens.make
  const prices = yield* Prices.load(aiPrices)

  const open = (options: ClientOptions): Effect.Effect<ServiceClient, CallError> => {
    const { deployment, endpoint, service, settings } = options
    const stays =
      options.signIn._tag === "Identity" &&
      options.signIn.orNone === true &&
      !Endpoint.mayHaveIdentity(endpoint, serviceHostAllowlist)
    const signIn: SignIn = stays ? { _tag: "None" } : options.signIn
    const callee = { service, host: endpoint.host, deployment, noun: options.noun ?? "deployment", settings }
    const kinds = { Key: "key", Identity: "identity", None: "none" } as const
    const refusal = Endpoint.refusal(endpoint, kinds[signIn._tag], serviceHostAllowlist)
    if (refusal !== undefined) {
      return Effect.fail(new CallError({ reason: "Misdirected", message: `${service}: ${refusal}` }))
    }
    const governor = governors.of(
      `${endpoint.url} ${deployment ?? ""}`,
      options.limits ?? { tokensPerMinute: null, requestsPerMinute: null }
    )
    return Effect.succeed(client({ ...options, signIn }, callee, governor))
  }

  const client = (options: ClientOptions, callee: AnswerErrors.Callee, governor: Governor.Governor): ServiceClient => {
    const { endpoint, signIn } = options
    const name = AnswerErrors.nameOf(callee)
    const failure = (reason: CallError["reason"], message: string) =>
      new CallError({ reason, message: `${name} ${message}` })
    // One deployment may be out while others of its host work.
    const served = options.deployment === null ? endpoint.origin : `${endpoint.origin} (${options.deployment})`

    const credentials: Effect.Effect<Readonly<Record<string, string>>, CallError> = signIn._tag === "Key"
      ? Effect.succeed({ [signIn.header]: `${signIn.prefix}${Redacted.value(signIn.key)}` })
      : signIn._tag === "None"
        ? Effect.succeed({})
        : Effect.mapBoth(tokens.get(signIn.scope), {
            onSuccess: (token) => ({ authorization: `Bearer ${Redacted.value(token)}` }),
            onFailure: ({ heals, message }) =>
              failure(heals ? "Unavailable" : "Unauthorized", `can't be signed in to: ${message}`)
          })

    /** One request and what its answer means, unless the service is out: then it fails at once. */
    const send = (url: string, call: Call): Effect.Effect<Inspected, CallError> =>
      Effect.flatMap(request(url, call), ({ answer, rates, verdict }) =>
        typeof verdict === "string"
          ? Effect.succeed({ answer, rates, verdict })
          : Effect.fail<Failed>({ error: verdict, inspected: { answer, rates } })
      ).pipe(
        Effect.mapError((failed) => (failed instanceof CallError ? { error: failed } : failed)),
        valves.through({ endpoint: served, caller: options.run?.executionId ?? call.path, judge: ofFailed }),
        Effect.catchAll(({ error, inspected }) =>
          inspected === undefined ? Effect.fail(error) : Effect.succeed({ ...inspected, verdict: error })
        )
      )

    const request = (url: string, call: Call): Effect.Effect<Inspected, CallError> =>
      Effect.flatMap(credentials, (signature) => {
        const body = call.bytes?.data ?? (call.json === undefined ? undefined : JSON.stringify(call.json))
        const type = call.bytes?.contentType ?? (call.json === undefined ? undefined : "application/json")
        return http
          .send({
            method: call.method,
            url,
            headers: {
              accept: call.isBinary === true ? "*/*" : "application/json",
              "user-agent": "contentflow-worker",
              ...(type === undefined ? {} : { "content-type": type }),
              ...call.headers,
              ...signature
            },
            ...(body === undefined ? {} : { body }),
            maxBytes: call.maxBytes ?? defaultMaxBytes
          })
          .pipe(
            Effect.mapError((error) => ofHttp(callee, error)),
            Effect.timeoutFail({
              duration: options.timeout,
              onTimeout: () =>
                failure(
                  "TimedOut",
                  `did not answer within ${Duration.toSeconds(options.timeout)} s (${call.operation}).`
                )
            }),
            Effect.flatMap((answer) => Effect.map(Clock.currentTimeMillis, (now) => inspect(callee, call, answer, now)))
          )
      })

    /** One call in its turn; asked again as often as it is refused for the limits' sake. */
    const admitted = (
      url: string,
      call: Call,
      deadline: number,
      waitedBefore: number
    ): Effect.Effect<Admitted, CallError> =>
      governor
        .run(
          { tokens: call.tokens ?? 0, task: options.run?.executionId ?? "", deadline },
          (waited) =>
            Effect.map(Effect.either(send(url, call)), (result) => ({ result, waited: waitedBefore + waited })),
          ({ result }, millis): Ended =>
            result._tag === "Left"
              ? { how: "failed", rates: undefined, millis }
              : { how: howOf(result.right.verdict), rates: result.right.rates, millis }
        )
        .pipe(
          Effect.catchTag("Overdue", ({ afterMillis }) =>
            Effect.fail(
              new CallError({
                reason: "Throttled",
                message: `${name} is at its rate limits, and waiting for them would take longer than the task may.`,
                retryAfterMillis: afterMillis
              })
            )
          ),
          Effect.flatMap(({ result, waited }) => {
            if (result._tag === "Left") return Effect.fail(result.left)
            const { answer, verdict } = result.right
            Metrics.called(options.type, options.deployment ?? "", resultOf(verdict), waited)
            if (verdict === "throttled") return admitted(url, call, deadline, waited)
            return verdict === "answered" ? Effect.succeed({ answer, waited }) : Effect.fail(verdict)
          })
        )

    const counted = (url: string, call: Call): Effect.Effect<Answer, CallError> =>
      Effect.flatMap(MonotonicTime.now, (asked) =>
        Effect.flatMap(
          Effect.timed(admitted(url, call, options.run?.deadline ?? asked + longestWait, 0)),
          ([took, { answer, waited }]) =>
            Effect.sync(() => {
              if (call.usage !== undefined) count(call, answer, Duration.toMillis(took) - waited, waited)
              return answer
            })
        )
      )

    const count = (call: Call, answer: Answer, millis: number, waitMillis: number): void => {
      const usage = Prices.priced(prices, {
        ...nothing,
        model: options.deployment ?? options.service,
        deployment: options.deployment,
        calls: 1,
        ...call.usage?.(answer),
        millis: Math.max(0, Math.round(millis)),
        waitMillis
      })
      ;(call.meter ?? options.meter)?.add(usage)
      Metrics.used(options.type, usage)
    }

    const { delay, factor, times } = options.retries
    const retrying = (
      url: string,
      call: Call,
      left: number,
      wait: Duration.Duration,
      fresh: boolean
    ): Effect.Effect<Answer, CallError> =>
      Effect.catchAll(counted(url, call), (error) => {
        if (error.reason === "Unauthorized" && error.status === 401 && signIn._tag === "Identity" && !fresh) {
          // The token may have been revoked before its time.
          return Effect.zipRight(tokens.forget(signIn.scope), retrying(url, call, left, wait, true))
        }
        if (left <= 0 || !mayHeal(error) || error.reason === "Throttled" || error.outage?.closed === true) {
          return Effect.fail(error)
        }
        const pause = Duration.max(wait, Duration.millis(error.retryAfterMillis ?? 0))
        if (Duration.greaterThan(pause, longestDelay)) return Effect.fail(error)
        return Effect.delay(retrying(url, call, left - 1, Duration.times(wait, factor), fresh), pause)
      })

    const call = (request: Call): Effect.Effect<Answer, CallError> =>
      ClientSpan.around(
        `${options.service} ${request.operation}`,
        { "server.address": endpoint.host, ...(options.deployment === null ? {} : { deployment: options.deployment }) },
        retrying(urlOf(endpoint, request), request, times, delay, false)
      )

    /** Looks at an operation once; it is no call that anything is charged for, and nothing limits it but the service's word. */
    const look = (url: string, request: Call): Effect.Effect<Look, CallError> =>
      Effect.map(
        send(url, {
          operation: request.operation,
          method: "GET",
          path: "",
          mayHoldError: true,
          quotable: quotableOf(request),
          maxBytes: request.maxBytes ?? defaultMaxBytes
        }),
        ({ answer, rates, verdict }) => ({
          answer: verdict === "answered" ? answer : undefined,
          error: typeof verdict === "string" ? undefined : verdict,
          pauseMillis: rates.retryAfterMillis
        })
      )

    const addressOf = ({ headers }: Answer, what: string): Effect.Effect<string, CallError> => {
      const location = headers["operation-location"]
      if (location === undefined || !URL.canParse(location, endpoint.url)) {
        return failure("Unreadable", `accepted the operation but does not say where it can be looked at (${what}).`)
      }
      const url = new URL(location, endpoint.url)
      return url.origin === endpoint.origin
        ? Effect.succeed(url.href)
        : failure(
            "Misdirected",
            `names an operation at another host (${url.host.slice(0, 100)}), which is not asked: the key would go there.`
          )
    }

    const isOwn = (url: string): boolean => URL.canParse(url) && new URL(url).origin === endpoint.origin

    const operate = (start: Call, operation: Operation): Effect.Effect<Answer, CallError> => {
      const { interval, longest, within } = operation
      const { usage, ...quiet } = start
      return Effect.gen(function* () {
        const overdue = failure(
          "TimedOut",
          `has not ended the operation within ${Duration.toSeconds(within)} s (${start.operation}).`
        )
        const address: OperationAddress = operation.address ?? { url: undefined }
        const move = (url: string | undefined): Effect.Effect<void> => {
          address.url = url
          return address.moved?.(url) ?? Effect.void
        }
        let pause = interval
        // An address that was kept may be of another day: the service forgets results, and its host must be the one that gets the key.
        let isKept = address.url !== undefined
        if (address.url !== undefined && !isOwn(address.url)) {
          address.url = undefined
          isKept = false
        }
        if (address.url === undefined) {
          // What was accepted is paid for: its address is kept, whatever stops the run meanwhile.
          const started = yield* Effect.uninterruptibleMask((restore) =>
            Effect.tap(restore(call({ ...quiet, mayBeEmpty: true })), (accepted) =>
              Effect.flatMap(addressOf(accepted, start.operation), move)
            )
          )
          pause = Duration.max(
            interval,
            Duration.millis(RateHeaders.read(started.headers, yield* Clock.currentTimeMillis).retryAfterMillis ?? 0)
          )
        }
        const url = address.url ?? ""
        const began = yield* MonotonicTime.now
        let failures = 0
        for (;;) {
          const left = Duration.toMillis(within) - ((yield* MonotonicTime.now) - began)
          if (left <= 0) return yield* overdue
          yield* Effect.sleep(Duration.min(Duration.min(pause, Duration.minutes(5)), Duration.millis(left)))
          const seen = yield* Effect.catchAll(look(url, start), (error) =>
            Effect.succeed<Look>({ answer: undefined, error, pauseMillis: undefined })
          )
          if (seen.error !== undefined) {
            failures += 1
            const mayCome = mayHeal(seen.error)
            if (!mayCome && seen.error.reason !== "Unauthorized") yield* move(undefined)
            // What the service has forgotten is asked for anew.
            if (isKept && (seen.error.status === 404 || seen.error.status === 410))
              return yield* operate(start, operation)
            if (!mayCome || failures > 5) return yield* seen.error
          } else if (seen.answer !== undefined) {
            failures = 0
            isKept = false
            const state = operation.state(seen.answer.json)
            if (state._tag === "Succeeded") {
              const took = (yield* MonotonicTime.now) - began
              count({ ...start, usage: usage ?? (() => ({})) }, seen.answer, took, 0)
              return seen.answer
            }
            if (state._tag === "Unreadable") {
              return yield* failure(
                "Unreadable",
                `answers in another shape than an operation has (${start.operation}).`
              )
            }
            if (state._tag === "Failed") {
              yield* move(undefined)
              const said = Quotations.hidden(CutText.cut(redact(state.message), 300), quotableOf(start))
              return yield* failure("Failed", `could not do it: ${said}`)
            }
          }
          const next = Duration.min(longest, Duration.times(pause, 1.5))
          pause = seen.pauseMillis === undefined ? next : Duration.max(interval, Duration.millis(seen.pauseMillis))
        }
      })
    }

    return {
      call: (request) => call({ usage: () => ({}), ...request }),
      operate,
      error: failure
    }
  }

  return ServiceClients.of({ open })
})

/** A call that belongs to no task waits this long for the limits, in milliseconds. */
const longestWait = 3_600_000

interface Inspected {
  readonly answer: Answer
  readonly rates: RateHeaders.Rates
  readonly verdict: "answered" | "throttled" | CallError
}

/** A failed call, with the answer that says so if there was one. */
interface Failed {
  readonly error: CallError
  readonly inspected?: Pick<Inspected, "answer" | "rates">
}

const ofFailed: Judge<Failed> = {
  verdict: ({ error }) => judge.verdict(error),
  withOutage: (failed, outage) => ({ ...failed, error: judge.withOutage(failed.error, outage) }),
  notCalled: (message, outage) => ({ error: judge.notCalled(message, outage) })
}

interface Admitted {
  readonly answer: Answer
  readonly waited: number
}

interface Look {
  readonly answer: Answer | undefined
  readonly error: CallError | undefined
  readonly pauseMillis: number | undefined
}

const howOf = (verdict: Inspected["verdict"]): Ended["how"] =>
  typeof verdict === "string" ? verdict : mayHeal(verdict) ? "failed" : "answered"

const resultOf = (verdict: Inspected["verdict"]): string =>
  verdict === "answered" ? "ok" : verdict === "throttled" ? "throttled" : verdict.reason.toLowerCase()

const inspect = (callee: AnswerErrors.Callee, call: Call, answer: HttpAnswer, now: number): Inspected => {
  const rates = RateHeaders.read(answer.headers, now)
  const { body, status } = answer
  const isFine = (status >= 200 && status < 300) || call.accepted?.includes(status) === true
  const parsed = body.length === 0 || (call.isBinary === true && isFine) ? undefined : parse(body)
  const isPart = call.accepted?.includes(status) === true || (isFine && call.mayHoldError === true)
  const all = isPart ? undefined : AnswerErrors.saidError(parsed)
  const said = all === undefined ? undefined : { ...all, message: Quotations.hidden(all.message, quotableOf(call)) }
  const read: Answer = { ...answer, json: parsed }
  if (AnswerErrors.isThrottled(answer, said)) return { answer: read, rates, verdict: "throttled" }
  if (!isFine || (said !== undefined && call.isBinary !== true)) {
    return { answer: read, rates, verdict: AnswerErrors.ofAnswer(callee, answer, said, rates.retryAfterMillis ?? null) }
  }
  const isComplete = parsed !== undefined || call.isBinary === true || (body.length === 0 && call.mayBeEmpty === true)
  return { answer: read, rates, verdict: isComplete ? "answered" : AnswerErrors.unreadable(callee, answer) }
}

/** Services quote no text of larger documents, since those are not plain text. */
const longestQuotable = 1_000_000

const quotableOf = ({ bytes, json, quotable }: Call): unknown =>
  quotable ??
  json ??
  (bytes === undefined || bytes.data.length > longestQuotable ? undefined : Buffer.from(bytes.data).toString("utf8"))

const parse = (body: Uint8Array): unknown => {
  try {
    return JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("utf8")) as unknown
  } catch {
    return undefined
  }
}

const ofHttp = (callee: AnswerErrors.Callee, { message, reason }: HttpFailure): CallError =>
  new CallError({
    reason: reason === "Forbidden" ? "Misdirected" : reason === "TooLarge" ? "Unreadable" : "Unavailable",
    message: `${AnswerErrors.nameOf(callee)} ${message}.`
  })

const urlOf = (endpoint: Endpoint.Endpoint, { path, query }: Call): string => {
  const search = new URLSearchParams(query).toString()
  return `${endpoint.url}${path}${search === "" ? "" : `?${search}`}`
}

/** Over any transport. */
export const layer: Layer.Layer<
  ServiceClients,
  never,
  ServiceHttp | Governors | EndpointValves | WorkerConfig | FileSystem.FileSystem
> = Layer.effect(ServiceClients, make)

/** Over HTTP. */
export const layerHttp: Layer.Layer<ServiceClients, never, EndpointValves | WorkerConfig | FileSystem.FileSystem> =
  layer.pipe(Layer.provide([Http.layer, Governor.layer]))
