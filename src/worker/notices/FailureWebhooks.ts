import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as MonotonicTime from "../../concurrency/MonotonicTime.ts"
import { WorkerConfig } from "../../config/WorkerConfig.ts"
import { redact } from "../../domain/Redaction.ts"
import * as Ids from "../../domain/Ids.ts"
import { shownName } from "../../domain/Vault.ts"
import * as CutText from "../../text/CutText.ts"
import * as HostAddresses from "../../web/HostAddresses.ts"
import * as HttpPost from "../../web/HttpPost.ts"
import { WebError } from "../../web/WebError.ts"
import { DefinitionCache } from "../DefinitionCache.ts"
import * as Metrics from "../Metrics.ts"
import * as WebhookAddress from "./WebhookAddress.ts"
import * as WebhookSignature from "./WebhookSignature.ts"

/** What failed: a task for good, or a crawl for the first time since one succeeded. */
export interface Failure {
  readonly type: "execution.failed" | "crawl.failed"
  /** The failed execution that people find. */
  readonly execution: Ids.ExecutionId
  readonly task: string | null
  readonly vault: Ids.VaultId
  readonly pipeline: { readonly id: string; readonly name: string }
  readonly documents: ReadonlyArray<string>
  readonly error: string
}

/** Tells the webhooks of vaults what fails. Nothing waits for it, and what can't be sent is lost: the executions have it all. */
export class FailureWebhooks extends Context.Tag("contentflow-worker/worker/FailureWebhooks")<
  FailureWebhooks,
  {
    /** Returns at once, whether the vault has a webhook or not. */
    readonly tell: (failure: Failure) => Effect.Effect<void>
  }
>() {}

/** Failures that are not sent yet, in all and for one address; further ones are dropped. */
export const mostWaiting = 1_000
export const mostWaitingForOne = 100

/** Requests at the same time, in all and to one address: a receiver that hangs holds up its own. */
const mostRequests = 16
const mostRequestsToOne = 2

const requestTimeout = Duration.seconds(10)

/** After 5 s, 20 s, 80 s, 5 min and 21 min, with jitter. */
const rhythm = Schedule.intersect(Schedule.recurs(5), Schedule.jittered(Schedule.exponential("5 seconds", 4)))

/** Between two lines of the log about the same address. */
const toldEvery = Duration.toMillis("1 minute")

const mostDocuments = 10

interface Receiver {
  waiting: number
  readonly turn: Effect.Semaphore
}

const make = Effect.gen(function* () {
  const definitions = yield* DefinitionCache
  const { failureWebhookSecrets: secrets } = yield* WorkerConfig
  const scope = yield* Effect.scope
  const requests = yield* Effect.makeSemaphore(mostRequests)
  const receivers = new Map<string, Receiver>()
  const toldAt = new Map<string, number>()
  let waiting = 0

  const warn = (vault: string, message: string) =>
    Effect.flatMap(MonotonicTime.now, (now) => {
      const last = toldAt.get(vault)
      if (last !== undefined && now - last < toldEvery) return Effect.void
      if (toldAt.size >= 10_000) toldAt.clear()
      toldAt.set(vault, now)
      return Effect.logWarning(`A failure was not sent to the webhook of the vault ${vault}: ${message}`)
    })

  const dropped = (vault: string, why: string) =>
    Effect.suspend(() => {
      Metrics.add(Metrics.failureWebhooks.dropped, 1)
      return warn(vault, why)
    })

  const request = (
    { isLocal, url }: WebhookAddress.WebhookAddress,
    id: string,
    body: string
  ): Effect.Effect<void, WebError> =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const timestamp = Math.floor(now / 1_000)
      const headers = {
        "content-type": "application/json",
        ...WebhookSignature.headersOf({ id, timestamp, body }, secrets)
      }
      return Effect.flatMap(
        HttpPost.post(
          {
            allowPrivate: isLocal,
            lookup: HostAddresses.systemLookup,
            timeout: requestTimeout,
            userAgent: "contentflow-worker"
          },
          { url, headers, body }
        ),
        (status) => (status >= 200 && status < 300 ? Effect.void : Effect.fail(refusal(url, status)))
      )
    })

  const deliver = Effect.fnUntraced(function* (
    address: WebhookAddress.WebhookAddress,
    receiver: Receiver,
    name: string,
    body: string
  ) {
    const id = `msg_${Ids.random(16)}`
    const once = receiver.turn.withPermits(1)(requests.withPermits(1)(request(address, id, body)))
    yield* Effect.matchEffect(Effect.retry(once, { schedule: rhythm, while: ({ transient }) => transient }), {
      onSuccess: () => Effect.sync(() => Metrics.add(Metrics.failureWebhooks.sent, 1)),
      onFailure: ({ message }) => {
        Metrics.add(Metrics.failureWebhooks.failed, 1)
        return warn(name, message)
      }
    })
  })

  const told = Effect.fnUntraced(function* (failure: Failure) {
    const vault = yield* definitions.vault(failure.vault)
    const address = Option.isNone(vault) ? undefined : WebhookAddress.of(vault.value)
    if (Option.isNone(vault) || address === undefined) return
    const name = shownName(vault.value)
    if (Either.isLeft(address)) return yield* dropped(name, address.left)
    if (secrets.length === 0) {
      return yield* dropped(name, "FAILURE_WEBHOOK_SECRET is not set, and what is not signed is not sent")
    }
    const place = address.right.url.href
    const receiver = receivers.get(place) ?? { waiting: 0, turn: Effect.unsafeMakeSemaphore(mostRequestsToOne) }
    if (receiver.waiting >= mostWaitingForOne) {
      return yield* dropped(name, `${mostWaitingForOne} others wait for ${address.right.url.host} to answer`)
    }
    receivers.set(place, receiver)
    receiver.waiting++
    const body = bodyOf(failure, name, yield* Clock.currentTimeMillis)
    yield* Effect.ensuring(
      deliver(address.right, receiver, name, body),
      Effect.sync(() => {
        receiver.waiting--
        if (receiver.waiting === 0) receivers.delete(place)
      })
    )
  })

  return FailureWebhooks.of({
    tell: (failure) =>
      Effect.suspend(() => {
        if (waiting >= mostWaiting) return dropped(failure.vault, `${mostWaiting} others wait`)
        waiting++
        return told(failure).pipe(
          Effect.catchAll(({ message }) => dropped(failure.vault, message)),
          Effect.onInterrupt(() => Effect.sync(() => Metrics.add(Metrics.failureWebhooks.dropped, 1))),
          Effect.ensuring(Effect.sync(() => waiting--)),
          Effect.interruptible,
          Effect.forkIn(scope),
          Effect.asVoid
        )
      })
  })
})

const refusal = (url: URL, status: number): WebError =>
  new WebError({
    reason: "Status",
    message:
      status >= 300 && status < 400
        ? `${url.host} answered with ${status}, and redirects are not followed`
        : `${url.host} answered with ${status}`,
    status,
    // Gone: it wants no more.
    transient: (status < 300 || status >= 400) && status !== 410
  })

const bodyOf = ({ documents, error, execution, pipeline, task, type, vault }: Failure, name: string, now: number) =>
  JSON.stringify({
    type,
    timestamp: new Date(now).toISOString(),
    data: {
      execution_id: execution,
      task_id: task,
      vault_id: vault,
      vault_name: CutText.cut(name, 300),
      pipeline_id: pipeline.id,
      pipeline_name: CutText.cut(pipeline.name, 300),
      documents: documents.slice(0, mostDocuments).map((document) => CutText.cut(redact(document), 300)),
      number_of_documents: documents.length,
      error: CutText.cut(redact(error), 2_000)
    }
  })

export const layer: Layer.Layer<FailureWebhooks, never, DefinitionCache | WorkerConfig> = Layer.scoped(
  FailureWebhooks,
  make
)
