import { useState } from "preact/hooks"
import type { PoisonFilter } from "../../operations/BulkRequest.ts"
import type { Operation } from "../../operations/Operation.ts"
import type { PoisonDetails, PoisonEntry } from "../../operations/PoisonMessages.ts"
import { Action, BegunOperation, BulkAction } from "../Actions.tsx"
import { address, go, to } from "../Address.ts"
import { Choice, Text } from "../Fields.tsx"
import { Failure } from "../Failure.tsx"
import { fieldsOf } from "../Form.ts"
import { useLoaded } from "../Loaded.ts"
import { Moment } from "../Moment.tsx"
import * as Server from "../Server.ts"
import { type Column, VirtualTable } from "../VirtualTable.tsx"
import { useVaults } from "../KnownVaults.ts"

type Query = Readonly<Record<string, string>>

/** So many are looked at without hiding them from others; more are hidden while they are read. */
const few = 32
const many = 1_000

const filterOf = ({ execution, foreign, pipeline, reason, vault }: Query): PoisonFilter => ({
  ...(vault === undefined ? {} : { vault_id: vault }),
  ...(pipeline === undefined ? {} : { pipeline_id: pipeline }),
  ...(execution === undefined ? {} : { execution_id: execution }),
  ...(reason === undefined ? {} : { reason }),
  ...(foreign === undefined ? {} : { foreign: foreign === "true" })
})

export const PoisonQueue = () => {
  const { query } = address.value
  const [limit, setLimit] = useState(few)
  const { data, error, reload } = useLoaded(`${limit} ${JSON.stringify(query)}`, () =>
    Server.get<Server.Page<PoisonEntry>>("/poison", { ...query, limit })
  )
  const rows = data?.items
  return (
    <>
      <p>Messages that could not succeed, and wait for somebody to decide.</p>
      <Filter key={JSON.stringify(query)} query={query} />
      <div class="bar">
        <p aria-live="polite">
          {rows === undefined
            ? "Loading…"
            : `${rows.length.toLocaleString()} ${rows.length === limit ? "of more" : "in all"}`}
        </p>
        <BulkAction
          label="Put back all"
          sentence={(count) => `Put back ${count} messages`}
          request={{ verb: "put_back", filter: filterOf(query) }}
        />
        <BulkAction
          label="Discard all"
          sentence={(count) => `Discard ${count} messages`}
          request={{ verb: "discard", filter: filterOf(query) }}
          isDangerous
        />
        {rows?.length === few && limit === few ? (
          <button type="button" onClick={() => setLimit(many)}>
            Show up to {many.toLocaleString()}
          </button>
        ) : null}
        <button type="button" onClick={reload}>
          Reload
        </button>
      </div>
      <BegunOperation ended={reload} />
      {error === undefined ? null : <Failure message={error} retry={reload} />}
      {rows === undefined ? null : rows.length === 0 ? (
        <p class="empty">No messages match.</p>
      ) : (
        <VirtualTable label="Messages" columns={columns(reload)} rows={rows} keyOf={({ id }) => id} />
      )}
    </>
  )
}

const nameOf = ({ document, id }: PoisonEntry): string => document ?? id

const PutBack = ({ entry, then }: { readonly entry: PoisonEntry; readonly then: () => void }) =>
  entry.unusable === null ? (
    <Action
      label="Put back"
      of={nameOf(entry)}
      act={() => Server.post<Operation>(`/poison/${Server.part(entry.id)}/put-back`)}
      done="It is in the queue again."
      then={then}
    />
  ) : null

const Discard = ({ entry, then }: { readonly entry: PoisonEntry; readonly then: () => void }) => (
  <Action
    label="Discard"
    of={nameOf(entry)}
    question="Discard this message? Its execution stays."
    act={() => Server.remove<Operation>(`/poison/${Server.part(entry.id)}`)}
    then={then}
  />
)

const columns = (reload: () => void): ReadonlyArray<Column<PoisonEntry>> => [
  {
    title: "Document",
    cell: (entry) => (
      <a href={to("poison", entry.id)} title={nameOf(entry)}>
        {nameOf(entry)}
      </a>
    )
  },
  { title: "Pipeline", class: "short", cell: ({ pipeline_id }) => pipeline_id ?? "–" },
  {
    title: "Set aside",
    class: "time",
    cell: ({ inserted_at, rejected_at }) => <Moment at={rejected_at ?? inserted_at} />
  },
  {
    title: "Reason",
    cell: ({ foreign, reason, unusable }) => {
      const text = unusable ?? reason ?? (foreign ? "Somebody else put it here, without a reason." : "–")
      return <span title={text}>{text}</span>
    }
  },
  {
    title: "Actions",
    class: "actions",
    cell: (entry) => (
      <>
        <PutBack entry={entry} then={reload} /> <Discard entry={entry} then={reload} />
      </>
    )
  }
]

const Filter = ({ query }: { readonly query: Query }) => {
  const vaults = useVaults()
  return (
    <form class="filter" aria-label="Filter" onSubmit={(event) => go(to("poison", null, fieldsOf(event)))}>
      <Choice
        label="Vault"
        name="vault"
        value={query["vault"]}
        options={[...vaults.values()].map(({ id, name }) => [id, name ?? id])}
      />
      <Text label="Pipeline" name="pipeline" value={query["pipeline"]} />
      <Text label="Reason" name="reason" value={query["reason"]} />
      <Text label="Execution" name="execution" value={query["execution"]} />
      <Choice
        label="Put there by"
        name="foreign"
        value={query["foreign"]}
        options={[
          ["false", "a worker"],
          ["true", "somebody else"]
        ]}
      />
      <span class="buttons">
        <button type="submit" class="primary">
          Filter
        </button>
        <a class="button" href={to("poison")}>
          Clear
        </a>
      </span>
    </form>
  )
}

/** The message as it came; laid out where it is JSON. */
const readable = (body: string): string => {
  try {
    return JSON.stringify(JSON.parse(body), null, 2)
  } catch {
    return body
  }
}

export const PoisonMessage = ({ id }: { readonly id: string }) => {
  const { data, error, reload } = useLoaded(id, () => Server.get<PoisonDetails>(`/poison/${Server.part(id)}`))
  if (data === undefined) return error === undefined ? <p>Loading…</p> : <Failure message={error} retry={reload} />
  const { body, dequeue_count, died_attempts, document, execution_id, reason, rejected_at, rejected_by, unusable } =
    data
  const back = () => go(to("poison"))
  return (
    <>
      <div class="bar">
        <p>{document}</p>
        <PutBack entry={data} then={back} />
        <Discard entry={data} then={back} />
      </div>
      {unusable === null ? null : <p class="failure">It can’t be put back: {unusable}</p>}
      <section aria-labelledby="reason">
        <h2 id="reason">Reason</h2>
        <pre tabIndex={0}>{reason ?? "Somebody else put it here, without a reason."}</pre>
      </section>
      <dl class="facts">
        <div>
          <dt>Execution</dt>
          <dd>{execution_id === null ? "–" : <a href={to("executions", execution_id)}>{execution_id}</a>}</dd>
        </div>
        <div>
          <dt>Set aside</dt>
          <dd>
            <Moment at={rejected_at ?? data.inserted_at} />
          </dd>
        </div>
        <div>
          <dt>By</dt>
          <dd>{rejected_by ?? "–"}</dd>
        </div>
        <div>
          <dt>Delivered</dt>
          <dd>{dequeue_count === null ? "–" : `${dequeue_count} times`}</dd>
        </div>
      </dl>
      {died_attempts.length === 0 ? null : (
        <section aria-labelledby="died">
          <h2 id="died">Attempts that ended with their worker</h2>
          <pre tabIndex={0}>{JSON.stringify(died_attempts, null, 2)}</pre>
        </section>
      )}
      <section aria-labelledby="message">
        <h2 id="message">Message</h2>
        <pre tabIndex={0}>{readable(body)}</pre>
      </section>
    </>
  )
}
