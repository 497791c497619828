import { Array as Arr, Effect } from "effect"
import type { Malformed } from "./Disturbances.ts"
import type { Traffic } from "./Traffic.ts"
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
  readonly pipeline_id: string
  readonly expires_at: string
}

/** What the run did, as far as the check needs it. */
export interface Deeds {
  readonly versions: ReadonlyArray<World.Version>
  readonly malformed: ReadonlyArray<Malformed>
  readonly deletedVaults: ReadonlySet<string>
  /** Attempts that a task may have besides the first. */
  readonly maxRetries: number
  readonly traffic: Pick<Traffic, "receives" | "starts" | "storyOf" | "mostRetries" | "trespasses">
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
    const names = yield* World.call(async () => {
      const all: Array<string> = []
      for await (const { name } of container.listBlobsFlat()) all.push(name)
      return all
    })
    yield* Effect.forEach(
      names,
      (name) =>
        World.call(() => container.getBlobClient(name).downloadToBuffer()).pipe(
          Effect.map((body) => outputs.set(name.replace(/\.json$/, ""), body.toString("utf8")))
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

/** What must come to its end before a run does. */
export interface Expected {
  /** Executions that must be there. */
  readonly executions: ReadonlyArray<string>
  readonly deletedVaults: ReadonlySet<string>
}

/**
 * Waits until the queue is empty, every execution that somebody cares for is terminal, and every pipeline that is still crawled was seen without
 * a lock: a dead owner's goes with the next crawl, which a wrong clock may delay. The check tells what is not so.
 */
export const settled = (
  { documents, tasks }: World.World,
  { deletedVaults, executions }: Expected,
  deadline: number
): Effect.Effect<void> =>
  Effect.gen(function* () {
    const abandoned = abandonedBy(deletedVaults)
    const free = new Set<string>()
    while (Date.now() < deadline) {
      yield* Effect.sleep("2 seconds")
      const locks = yield* World.call(() => documents.locks.items.readAll<Lock>().fetchAll())
      const locked = new Set(locks.resources.map(({ pipeline_id }) => pipeline_id))
      for (const { name } of Object.values(World.streams)) if (!locked.has(name)) free.add(name)
      const { approximateMessagesCount } = yield* World.call(() => tasks.getProperties())
      if (approximateMessagesCount !== 0) continue
      const { resources } = yield* World.call(() => documents.executions.items.readAll<Execution>().fetchAll())
      const open = resources.filter((one) => !isTerminal(one) && !deletedVaults.has(one.vault_id ?? ""))
      const there = new Set(resources.map(({ id }) => id))
      if (
        open.length === 0 &&
        executions.every((id) => there.has(id)) &&
        Object.values(World.streams).every(({ name }) => free.has(name) || abandoned.has(name))
      ) {
        return
      }
    }
  })

/** The streams that nobody crawls any more. */
const abandonedBy = (deletedVaults: ReadonlySet<string>): ReadonlySet<string> =>
  new Set(
    Object.values(World.streams)
      .filter(({ vaults }) => vaults.every((vault) => deletedVaults.has(vault)))
      .map(({ name }) => name)
  )

const statuses = ["pending", "running", "completed", "failed"]
const isTerminal = ({ status }: Execution): boolean => status === "completed" || status === "failed"

/** Ends that a sound document may come to in a bad enough time: they say so, and are counted apart. */
const isBadLuck = ({ error }: Execution): boolean =>
  typeof error === "string" && /^(?:Crash: |Max retries exceeded)/.test(error)

/** Accounts for every document version and every message. */
export const check = (deeds: Deeds, remains: Remains): ReadonlyArray<Finding> => {
  const { deletedVaults, malformed, traffic, versions } = deeds
  const { locks, messages, outputs, poison } = remains
  const executions = remains.executions.filter(({ task_id }) => task_id !== null)
  const crawls = remains.executions.filter(({ task_id }) => task_id === null)
  const byId = new Map(Object.entries(Arr.groupBy(executions, ({ id }) => id)))
  const notes = poison.map(noteOf)
  const bodies = notes.map(({ body }) => body)

  /** The newest version of each document, for each vault that still wants it. */
  const wanted = [...new Map(versions.map((version) => [keyOf(version), version])).values()].flatMap((version) =>
    [...version.executions].flatMap(([vault, id]) => (deletedVaults.has(vault) ? [] : [{ version, id }]))
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
    rule("sound documents are completed, broken ones failed", done, ({ execution, version }) =>
      execution.status === (version.broken ? "failed" : "completed") || isBadLuck(execution)
        ? undefined
        : `${keyOf(version)} is ${execution.status}: ${String(execution.error)}`
    ),
    rule(
      "every completed document has its output",
      done.filter(({ execution }) => execution.status === "completed"),
      ({ version }) => {
        const output = outputs.get(keyOf(version))
        if (output === undefined) return `${keyOf(version)} has no output`
        // Of a document that was changed while it was processed, either version may be the last that is written.
        const accepted = versions.filter((one) => keyOf(one) === keyOf(version)).map(({ marker }) => marker)
        return accepted.some((marker) => output.includes(marker))
          ? undefined
          : `${keyOf(version)}: ${output.slice(0, 200)}`
      }
    ),
    rule("every failed execution has a reason, and its message is kept with it", failed, ({ error, id }) =>
      typeof error === "string" && error.length > 0 && bodies.some((body) => body.includes(id))
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
    rule("no lock is left", locks, ({ expires_at, id, pipeline_id }) =>
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
        : [
            `${id} was started ${starts} times for ${traffic.receives.get(id) ?? 0} deliveries:`,
            ...traffic.storyOf(id)
          ].join("\n        ")
    ),
    rule("retries are within the budget", [...traffic.mostRetries], ([id, retries]) =>
      retries <= deeds.maxRetries ? undefined : `${id} counted ${retries} retries`
    ),
    {
      rule: "no output was written by an attempt that had lost its lease",
      checked: traffic.starts.size,
      misses: traffic.trespasses.map(({ because, document, executions, worker }) =>
        [`${worker} wrote ${document}: ${because}`, ...executions.flatMap(traffic.storyOf)].join("\n        ")
      )
    }
  ]
}

/** How many sound documents failed because of what was done to the workers, and not of what they did. */
export const badLuck = ({ executions }: Remains): number =>
  executions.filter((execution) => execution.status === "failed" && isBadLuck(execution)).length

const keyOf = ({ name, stream }: World.Version): string => `${stream.name}/${name}`

const noteOf = (text: string): { readonly reason: string; readonly body: string } => {
  try {
    const note: { readonly reason?: string; readonly body?: string } = JSON.parse(text)
    return { reason: note.reason ?? "", body: note.body ?? "" }
  } catch {
    return { reason: "", body: text }
  }
}
