import { Array as Arr, Effect } from "effect"
import type { Malformed } from "./Disturbances.ts"
import type { Edit } from "./ForeignEdits.ts"
import type { Outage } from "./Outages.ts"
import type { Traffic, Trespass } from "./Traffic.ts"
import * as World from "./World.ts"

/** The parts of an execution that are promised. */
export interface Execution {
  readonly id: string
  readonly vault_id: string | null
  /** None is what a crawl records that failed. */
  readonly task_id: string | null
  readonly status: string
  readonly content: unknown
  readonly error: unknown
  readonly enqueued_at: unknown
  readonly started_at: unknown
  readonly completed_at: unknown
  readonly number_of_items: unknown
  /** What others added. */
  readonly [field: string]: unknown
}

/** Everything that was left when the fleet had ended. */
export interface Remains {
  readonly executions: ReadonlyArray<Execution>
  readonly outputs: ReadonlyMap<string, string>
  /** How many, and of those that are visible the texts. */
  readonly messages: number
  readonly visible: ReadonlyArray<string>
  readonly poison: ReadonlyArray<string>
  readonly locks: ReadonlyArray<Lock>
}

export interface Lock {
  readonly id: string
  /** What else the container holds: what workers tell of themselves, controls. */
  readonly kind?: string
  readonly pipeline_id: string
  readonly expires_at: string
}

/** What the run did, as far as the check needs it. */
export interface Deeds {
  readonly versions: ReadonlyArray<World.Version>
  /** Documents that were deleted, and stayed so. */
  readonly removed: ReadonlySet<string>
  readonly malformed: ReadonlyArray<Malformed>
  readonly deletedVaults: ReadonlySet<string>
  /** Attempts that a task may have besides the first. */
  readonly maxRetries: number
  readonly edits: ReadonlyArray<Edit>
  readonly outages: ReadonlyArray<Outage>
  /** What an outage refused was about these documents, executions and messages. */
  readonly concerned: ReadonlySet<string>
  readonly traffic: Pick<
    Traffic,
    "receives" | "starts" | "storyOf" | "messagesOf" | "mostRetries" | "trespasses" | "regressions"
  >
}

/** A rule that holds for a run without loss, and where it did not. */
export interface Finding {
  readonly rule: string
  readonly checked: number
  readonly misses: ReadonlyArray<string>
}

export const gather = ({ blobs, documents, poison, tasks }: World.World): Effect.Effect<Remains> =>
  Effect.gen(function* () {
    const executions = yield* World.call(() => documents.executions.items.readAll<Execution>().fetchAll())
    const locks = yield* World.call(() => documents.locks.items.readAll<Lock>().fetchAll())
    const { approximateMessagesCount } = yield* World.call(() => tasks.getProperties())
    const { peekedMessageItems } = yield* World.call(() => tasks.peekMessages({ numberOfMessages: 32 }))
    const container = blobs.getContainerClient(World.outputs)
    const outputs = new Map<string, string>()
    yield* Effect.forEach(
      yield* outputNames({ blobs }, ""),
      (name) =>
        World.call(() => container.getBlobClient(name).downloadToBuffer()).pipe(
          Effect.map((body) => outputs.set(outputOf(name), body.toString("utf8")))
        ),
      { concurrency: 8, discard: true }
    )
    const bodies: Array<string> = []
    for (;;) {
      const { receivedMessageItems } = yield* World.call(() =>
        poison.receiveMessages({ numberOfMessages: 32, visibilityTimeout: 600 })
      )
      bodies.push(...receivedMessageItems.map(({ messageText }) => messageText))
      if (receivedMessageItems.length === 0) break
    }
    return {
      executions: executions.resources,
      outputs,
      messages: approximateMessagesCount ?? 0,
      visible: peekedMessageItems.map(
        ({ dequeueCount, messageText }) => `dequeued ${dequeueCount} times: ${messageText}`
      ),
      poison: bodies,
      locks: locks.resources
    }
  })

const outputNames = ({ blobs }: Pick<World.World, "blobs">, prefix: string): Effect.Effect<ReadonlyArray<string>> =>
  World.call(async () => {
    const all: Array<string> = []
    for await (const { name } of blobs.getContainerClient(World.outputs).listBlobsFlat({ prefix })) all.push(name)
    return all
  })

/** What must come to its end before a run does. */
export interface Expected extends Pick<Deeds, "versions" | "removed" | "deletedVaults"> {
  /** Executions that must be there. */
  readonly executions: ReadonlyArray<string>
}

/** The outputs that follow their documents: those that the present ones give, and the documents of which nobody can tell, as their newest version failed. */
const followedOutputs = (
  { removed, versions }: Pick<Deeds, "versions" | "removed">,
  executions: ReadonlyArray<Execution>
) => {
  const statusOf = new Map(executions.map(({ id, status }) => [id, status]))
  const newest = new Map(versions.filter(World.isFollowed).map((version) => [keyOf(version), version]))
  const present = [...newest.values()].filter((version) => !removed.has(keyOf(version)))
  const isDone = (version: World.Version) =>
    [...version.executions.values()].every((id) => statusOf.get(id) === "completed")
  return {
    expected: new Set(present.filter(isDone).flatMap(World.outputsOf)),
    unknown: new Set(present.filter((version) => !isDone(version)).map(keyOf))
  }
}

/** What is there and should not be, or should be and is not. */
const outputDifferences = (
  { expected, unknown }: ReturnType<typeof followedOutputs>,
  names: Iterable<string>
): ReadonlyArray<{ readonly name: string; readonly isThere: boolean }> => {
  const there = new Set(names)
  return [
    ...[...there]
      .filter((name) => World.isOfFollowed(name) && !expected.has(name) && !unknown.has(World.documentOf(name)))
      .map((name) => ({ name, isThere: true })),
    ...[...expected].filter((name) => !there.has(name)).map((name) => ({ name, isThere: false }))
  ]
}

/**
 * Waits until the queue is empty, every execution that somebody cares for is terminal, outputs that follow their documents have done so, and every pipeline that is still crawled was seen without
 * a lock: a dead owner's goes with the next crawl, which a wrong clock may delay. The check tells what is not so. A fleet on a slow machine has
 * longer than the deadline, for as long as the queue gets shorter.
 */
export const settled = (
  { blobs, documents, tasks }: World.World,
  { deletedVaults, executions, removed, versions }: Expected,
  deadline: number
): Effect.Effect<void> =>
  Effect.gen(function* () {
    const abandoned = abandonedBy(deletedVaults)
    const free = new Set<string>()
    let shortest = Number.POSITIVE_INFINITY
    let until = deadline
    let isCalm = false
    while (Date.now() < until) {
      yield* Effect.sleep("2 seconds")
      const locks = yield* World.call(() => documents.locks.items.readAll<Lock>().fetchAll())
      const locked = new Set(locks.resources.map(({ pipeline_id }) => pipeline_id))
      for (const { name } of Object.values(World.streams)) if (!locked.has(name)) free.add(name)
      const { approximateMessagesCount } = yield* World.call(() => tasks.getProperties())
      const messages = approximateMessagesCount ?? shortest
      if (messages < shortest) {
        shortest = messages
        until = Math.max(until, Date.now() + progressMillis)
      }
      if (messages !== 0) continue
      const { resources } = yield* World.call(() => documents.executions.items.readAll<Execution>().fetchAll())
      const open = resources.filter((one) => !isTerminal(one) && !deletedVaults.has(one.vault_id ?? ""))
      const there = new Set(resources.map(({ id }) => id))
      if (
        open.length === 0 &&
        executions.every((id) => there.has(id)) &&
        Object.values(World.streams).every(({ name }) => free.has(name) || abandoned.has(name))
      ) {
        if (!isCalm) until = Math.max(until, Date.now() + followMillis)
        isCalm = true
        const names = (yield* outputNames({ blobs }, `${World.streams.followed.name}/`)).map(outputOf)
        if (outputDifferences(followedOutputs({ removed, versions }, resources), names).length === 0) return
      }
    }
  })

/** What an attempt that lost its lease may have left is removed when no call of it can be on its way any more: two leases and two task timeouts. */
const followMillis = 210_000

/** Within this time the queue of a fleet that makes progress gets shorter. */
const progressMillis = 60_000

/** The streams that nobody crawls any more. */
const abandonedBy = (deletedVaults: ReadonlySet<string>): ReadonlySet<string> =>
  new Set(
    Object.values(World.streams)
      .filter(({ vaults }) => vaults.every((vault) => deletedVaults.has(vault)))
      .map(({ name }) => name)
  )

const statuses = ["pending", "running", "completed", "failed"]
const isTerminal = ({ status }: Execution): boolean => status === "completed" || status === "failed"

/** An end that a sound document may come to when single calls fail often enough: it says so, and is counted apart. */
const isBadLuck = ({ error }: Execution): boolean =>
  typeof error === "string" && error.startsWith("Max retries exceeded")

const isCrash = ({ error }: Execution): boolean => typeof error === "string" && error.startsWith("Crash: ")

/** Calls a second of a process to a service that is away: probes. */
const mostRefused = 4

/** Calls of a process that were under way when the service went: of a short outage they are a large share. */
const underWay = 20

/** Calls a second of a process to all services meanwhile. Without the queue nothing is crawled, but tasks that were under way go on to their end. */
const mostCalls: Readonly<Record<Outage["service"], number>> = { cosmos: 15, blob: 30, queue: 20 }

const mostFrequent = (requests: ReadonlyMap<string, number>): string =>
  [...requests]
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, 12)
    .map(([request, count]) => `${count} x ${request}`)
    .join("; ")

const outputOf = (blob: string): string => blob.replace(/\.json$/, "")

/** Accounts for every document version and every message. */
export const check = (deeds: Deeds, remains: Remains): ReadonlyArray<Finding> => {
  const { concerned, deletedVaults, edits, malformed, outages, removed, traffic, versions } = deeds
  const { locks, messages, outputs, poison } = remains
  const executions = remains.executions.filter(({ task_id }) => task_id !== null)
  const crawls = remains.executions.filter(({ task_id }) => task_id === null)
  const byId = new Map(Object.entries(Arr.groupBy(executions, ({ id }) => id)))
  const notes = poison.map(noteOf)
  const bodies = notes.map(({ body }) => body)

  const newest = new Map(versions.map((version) => [keyOf(version), version]))
  const forEachVault = (version: World.Version) =>
    [...version.executions].flatMap(([vault, id]) => (deletedVaults.has(vault) ? [] : [{ version, id }]))
  /** The newest version of each document that is there, for each vault that still wants it. */
  const wanted = [...newest.values()].filter((version) => !removed.has(keyOf(version))).flatMap(forEachVault)
  /** Versions that were deleted or replaced: processed, or left alone. */
  const gone = versions
    .filter((version) => removed.has(keyOf(version)) || newest.get(keyOf(version)) !== version)
    .flatMap(forEachVault)
  const followed = followedOutputs(deeds, executions)
  const contentsOf = new Map(
    versions.flatMap((version) => [...version.executions.values()].map((id) => [id, version.contents._tag] as const))
  )
  const known = new Set(versions.flatMap((version) => [...version.executions.values()]))
  const done = wanted.flatMap(({ id, version }) => {
    const [execution] = byId.get(id) ?? []
    return execution === undefined ? [] : [{ version, execution }]
  })
  const failed = executions.filter(({ status }) => status === "failed")

  /** Created by a crawl that was cut off before it sent the message, when its vault was deleted already: nobody looks for it any more. */
  const isOrphan = ({ enqueued_at, started_at, status, vault_id }: Execution): boolean =>
    status === "pending" && deletedVaults.has(vault_id ?? "") && enqueued_at === null && started_at === null

  const abandoned = abandonedBy(deletedVaults)

  const isPoison = (id: string) => bodies.some((body) => body.includes(id))
  /** Whether an outage got in the way of it. */
  const suffered = (version: World.Version, id: string) =>
    [version.name, id, ...(traffic.messagesOf.get(id) ?? [])].some((name) => concerned.has(name))

  const rule = <A>(text: string, all: ReadonlyArray<A>, miss: (one: A) => string | undefined): Finding => ({
    rule: text,
    checked: all.length,
    misses: all.flatMap((one) => miss(one) ?? [])
  })

  return [
    rule("every document version has exactly one execution", wanted, ({ id, version }) => {
      const count = byId.get(id)?.length ?? 0
      return count === 1 ? undefined : `${keyOf(version)} has ${count} executions ${id}`
    }),
    rule("every execution is of a document version that was there, once", executions, ({ id }) =>
      known.has(id) && byId.get(id)?.length === 1 ? undefined : `${id} is of no known version, or not alone`
    ),
    rule("every execution is terminal", executions, (execution) =>
      isTerminal(execution) || isOrphan(execution)
        ? undefined
        : `${execution.id} is ${execution.status}: ${JSON.stringify(execution)}`
    ),
    rule("every execution keeps the contract", executions, ({ completed_at, content, error, id, status }) =>
      statuses.includes(status) &&
      (content === null || Array.isArray(content)) &&
      (error === null || typeof error === "string") &&
      (status === "completed" ? error === null && typeof completed_at === "string" : true)
        ? undefined
        : `${id}: ${JSON.stringify({ status, error, completed_at })}`
    ),
    rule("sound documents are completed, broken ones and killers failed", done, ({ execution, version }) =>
      execution.status === (version.contents._tag === "Sound" ? "completed" : "failed") ||
      (isBadLuck(execution) && !suffered(version, execution.id))
        ? undefined
        : told(execution.id, `${keyOf(version)} is ${execution.status}: ${String(execution.error)}`)
    ),
    rule("a document is set aside as a crash if it kills, and only then", executions, (execution) =>
      isCrash(execution) === (contentsOf.get(execution.id) === "Killer") || !isTerminal(execution)
        ? undefined
        : told(execution.id, `${execution.id} is ${execution.status}: ${String(execution.error)}`)
    ),
    rule("a sound document that was deleted or replaced is no poison message", gone, ({ id, version }) =>
      version.contents._tag === "Sound" && isPoison(id)
        ? told(id, `${keyOf(version)}: ${String(byId.get(id)?.[0]?.error)}`)
        : undefined
    ),
    rule(
      "every completed document has the output of its newest version",
      done.filter(({ execution }) => execution.status === "completed"),
      ({ execution, version }) => {
        for (const name of World.outputsOf(version)) {
          const output = outputs.get(name)
          if (output === undefined) return told(execution.id, `${name} is not there`)
          if (output.includes(version.marker)) continue
          const number = /marker-\d+-/.exec(output)?.[0] ?? output.slice(0, 200)
          return told(execution.id, `${name} has ${number} instead of ${version.marker}`)
        }
        return undefined
      }
    ),
    {
      rule: "outputs that follow their documents are exactly those of the present ones",
      checked: followed.expected.size,
      misses: outputDifferences(followed, outputs.keys()).map(({ isThere, name }) => {
        const of = versions.filter((version) => keyOf(version) === World.documentOf(name))
        const text = `${name} is ${isThere ? "still" : "not"} there`
        return [text, ...of.flatMap((version) => [...version.executions.values()].flatMap(traffic.storyOf))].join(
          "\n        "
        )
      })
    },
    rule(
      "every output holds the model's answers to its own document and row",
      [...followed.expected].filter((name) => outputs.has(name)),
      (name) => {
        const [, number = ""] = /-(\d+)$/.exec(name) ?? []
        const draft = newest.get(World.documentOf(name))
        const { summary, told } = answersOf(outputs.get(name) ?? "")
        return draft !== undefined &&
          summary.includes(draft.marker) &&
          told.includes(World.rowOf(draft, Number(number)))
          ? undefined
          : `${name} (${draft?.marker}) has "${summary}" and "${told}"`
      }
    ),
    rule("every failed execution has a reason, and its message is kept with it", failed, ({ error, id }) =>
      typeof error === "string" && error.length > 0 && isPoison(id)
        ? undefined
        : `${id}: error ${JSON.stringify(error)}, poison messages: ${bodies.filter((body) => body.includes(id)).length}`
    ),
    rule("every malformed message is kept with a reason", malformed, ({ token }) =>
      bodies.some((body) => body.includes(token)) ? undefined : `${token} is nowhere`
    ),
    rule("every poison message has a reason and a cause", notes, ({ body, reason }) => {
      const deleted = [...deletedVaults].some((vault) => body.includes(vault))
      const caused = malformed.some(({ token }) => body.includes(token)) || failed.some(({ id }) => body.includes(id))
      return reason !== "" && (caused || deleted) ? undefined : `"${reason}" for ${body.slice(0, 300)}`
    }),
    rule("no message is left", [messages], (count) =>
      count === 0 ? undefined : `${count} messages, of which visible: ${remains.visible.join("; ")}`
    ),
    rule(
      "no lock is left",
      locks.filter(({ kind }) => kind === undefined),
      ({ expires_at, id, pipeline_id }) =>
        // Of a pipeline that nobody crawls any more it stays where its owner died, until its TTL removes it.
        abandoned.has(pipeline_id) && Date.parse(expires_at) < Date.now() ? undefined : `${id} until ${expires_at}`
    ),
    rule("every recorded crawl failed for a reason", crawls, ({ error, id, status }) =>
      status === "failed" && typeof error === "string" && error !== ""
        ? undefined
        : `${id} is ${status}: ${String(error)}`
    ),
    rule("no attempt was begun without a message handed out for it", [...traffic.starts], ([id, starts]) =>
      starts <= (traffic.receives.get(id) ?? 0)
        ? undefined
        : told(id, `${id} was started ${starts} times for ${traffic.receives.get(id) ?? 0} deliveries`)
    ),
    rule("retries are within the budget", [...traffic.mostRetries], ([id, retries]) =>
      retries <= deeds.maxRetries ? undefined : `${id} counted ${retries} retries`
    ),
    rule("what others added to executions is kept", edits, ({ executionId, field, value }) => {
      const [execution] = byId.get(executionId) ?? []
      // Of a deleted vault's document it may be another one, which a crawl under way made.
      return execution === undefined || deletedVaults.has(execution.vault_id ?? "") || execution[field] === value
        ? undefined
        : told(executionId, `${executionId} lost ${field}: ${value}`)
    }),
    rule(
      "an outage costs a few calls a second",
      outages.flatMap(({ calls, ...outage }) => calls.map((each) => ({ ...outage, ...each }))),
      ({ all, countedMillis, kind, refused, requests, service, worker }) => {
        const seconds = countedMillis / 1_000
        return refused <= mostRefused * seconds + underWay && all / seconds <= mostCalls[service]
          ? undefined
          : `slot ${worker} made ${(refused / seconds).toFixed(1)} calls a second of ${service} that was away (${kind}), ${(all / seconds).toFixed(1)} of all: ${mostFrequent(requests)}`
      }
    ),
    {
      rule: "no output was written by an attempt that had lost its lease",
      checked: traffic.starts.size,
      misses: traffic.trespasses.map(trespass)
    },
    {
      rule: "no output of an older version replaced a newer one's",
      checked: outputs.size,
      misses: traffic.regressions.map(trespass)
    }
  ]

  function told(id: string, text: string): string {
    return [text, ...traffic.storyOf(id)].join("\n        ")
  }
  function trespass({ because, document, executions, worker }: Trespass): string {
    return [`${worker} wrote ${document}: ${because}`, ...executions.flatMap(traffic.storyOf)].join("\n        ")
  }
}

/** How many sound documents failed because of what was done to the workers, and not of what they did. */
export const badLuck = ({ executions }: Remains): number =>
  executions.filter((execution) => execution.status === "failed" && isBadLuck(execution)).length

const { keyOf } = World

/** What a model said, as it is in an output. */
const answersOf = (output: string): { readonly summary: string; readonly told: string } => {
  try {
    const { data }: { readonly data?: Readonly<Record<string, unknown>> } = JSON.parse(output)
    return { summary: String(data?.["summary"]), told: String(data?.["told"]) }
  } catch {
    return { summary: "", told: output.slice(0, 200) }
  }
}

const noteOf = (text: string): { readonly reason: string; readonly body: string } => {
  try {
    const note: { readonly reason?: string; readonly body?: string } = JSON.parse(text)
    return { reason: note.reason ?? "", body: note.body ?? "" }
  } catch {
    return { reason: "", body: text }
  }
}
