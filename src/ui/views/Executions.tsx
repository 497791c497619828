import { useCallback, useEffect, useRef, useState } from "preact/hooks"
import type { ExecutionFilter, ExecutionSummary } from "../../domain/ExecutionFilter.ts"
import type { VaultState } from "../../operations/Vaults.ts"
import { BegunOperation, BulkAction } from "../Actions.tsx"
import { address, go, to } from "../Address.ts"
import { Badge } from "../Badge.tsx"
import { useChanges } from "../Changes.ts"
import { Choice, Text } from "../Fields.tsx"
import { Failure } from "../Failure.tsx"
import { fieldsOf } from "../Form.ts"
import { useVaults } from "../KnownVaults.ts"
import { useEvery } from "../Loaded.ts"
import { Moment, Span } from "../Moment.tsx"
import * as Server from "../Server.ts"
import { type Column, VirtualTable } from "../VirtualTable.tsx"

type Query = Readonly<Record<string, string>>

const pageSize = 500

/** The state of an execution in one word: one that was called off failed in no other way. */
const stateOf = ({ cancelled, status }: ExecutionSummary): string => (cancelled ? "cancelled" : status)

export const Executions = () => {
  const { query } = address.value
  const vaults = useVaults()
  const list = useExecutions(query)
  return (
    <>
      <Filter key={JSON.stringify(query)} query={query} vaults={vaults} />
      <div class="bar">
        <p aria-live="polite">{countOf(list)}</p>
        <BulkAction
          label="Retry all"
          sentence={(many) => `Retry ${many} executions`}
          request={{ verb: "retry", filter: filterOf(query) }}
        />
        <BulkAction
          label="Cancel all"
          sentence={(many) => `Cancel ${many} executions`}
          request={{ verb: "cancel", filter: filterOf(query) }}
          isDangerous
        />
        <BulkAction
          label="Delete all"
          sentence={(many) => `Delete ${many} executions`}
          request={{ verb: "delete", filter: filterOf(query) }}
          isDangerous
        />
        <button type="button" onClick={list.reload}>
          {list.newer ? "Show newer ones" : "Reload"}
        </button>
      </div>
      <BegunOperation ended={list.reload} />
      {list.error === undefined ? null : <Failure message={list.error} retry={list.reload} />}
      {list.rows === undefined ? null : list.rows.length === 0 && list.next === null ? (
        <p class="empty">No executions match.</p>
      ) : (
        <VirtualTable
          label="Executions"
          columns={columns(vaults)}
          rows={list.rows}
          keyOf={({ id }) => id}
          more={list.next === null ? undefined : list.more}
        />
      )}
    </>
  )
}

const countOf = ({ next, rows }: { readonly rows: ReadonlyArray<unknown> | undefined; readonly next: string | null }) =>
  rows === undefined ? "Loading…" : `${rows.length.toLocaleString()} loaded${next === null ? "" : ", more below"}`

const columns = (vaults: ReadonlyMap<string, VaultState>): ReadonlyArray<Column<ExecutionSummary>> => [
  { title: "Status", class: "narrow", cell: (row) => <Badge state={stateOf(row)} /> },
  {
    title: "Document",
    cell: ({ document, id, number_of_items }) => (
      <a href={to("executions", id)} title={document ?? id}>
        {document ?? id}
        {number_of_items !== null && number_of_items > 1 ? ` and ${number_of_items - 1} more` : ""}
      </a>
    )
  },
  {
    title: "Vault",
    class: "short",
    cell: ({ vault_id }) => (vault_id === null ? "–" : (vaults.get(vault_id)?.name ?? vault_id))
  },
  { title: "Pipeline", class: "short", cell: ({ pipeline_id, pipeline_name }) => pipeline_name ?? pipeline_id ?? "–" },
  { title: "Created", class: "time", cell: ({ created_at }) => <Moment at={created_at} /> },
  {
    title: "Took",
    class: "narrow",
    cell: ({ completed_at, started_at }) => (started_at === null ? "–" : <Span from={started_at} to={completed_at} />)
  },
  {
    title: "Error or message",
    cell: ({ error, status_message }) => <span title={error ?? status_message ?? ""}>{error ?? status_message}</span>
  }
]

/** The filter of the address as operations take it. */
const filterOf = ({
  document,
  error,
  from,
  operation,
  pipeline,
  status,
  to: until,
  vault,
  version
}: Query): ExecutionFilter => ({
  ...(vault === undefined ? {} : { vault_id: vault }),
  ...(pipeline === undefined ? {} : { pipeline_id: pipeline }),
  ...(version === undefined ? {} : { pipeline_version: version }),
  ...(status === undefined ? {} : { status: status.split(",") as NonNullable<ExecutionFilter["status"]> }),
  ...(from === undefined ? {} : { from }),
  ...(until === undefined ? {} : { to: until }),
  ...(document === undefined ? {} : { document }),
  ...(error === undefined ? {} : { error }),
  ...(operation === undefined ? {} : { operation })
})

/** Whether a list with this filter surely shows it. */
const isShown = (
  { pipeline_id, status, vault_id }: ExecutionSummary,
  { pipeline, status: wanted, vault, ...others }: Query
): boolean =>
  Object.keys(others).length === 0 &&
  (wanted === undefined || wanted.split(",").includes(status)) &&
  (vault === undefined || vault === vault_id) &&
  (pipeline === undefined || pipeline === pipeline_id)

/** A list that grows as somebody scrolls, and changes as its executions do. */
const useExecutions = (query: Query) => {
  const key = JSON.stringify(query)
  const [rows, setRows] = useState<ReadonlyArray<ExecutionSummary>>()
  const latest = useRef<ReadonlyArray<ExecutionSummary> | undefined>(undefined)
  const [next, setNext] = useState<string | null>(null)
  const [error, setError] = useState<string>()
  const [newer, setNewer] = useState(false)
  const turn = useRef(0)
  const isLoading = useRef(false)
  /** What changed since the answer was asked for that is on its way: it may lack that. */
  const changed = useRef<Array<ExecutionSummary>>([])

  const show = (next: ReadonlyArray<ExecutionSummary> | undefined) => {
    latest.current = next
    setRows(next)
  }

  const page = async (after: string | null) => {
    const mine = after === null ? ++turn.current : turn.current
    isLoading.current = true
    changed.current = []
    try {
      const answer = await Server.get<Server.Page<ExecutionSummary>>("/executions", {
        ...query,
        limit: pageSize,
        after: after ?? undefined
      })
      if (mine !== turn.current) return
      if (after === null) setNewer(false)
      show(after === null ? answer.items : [...(latest.current ?? []), ...answer.items])
      for (const execution of changed.current) take(execution)
      setNext(answer.next)
      setError(undefined)
    } catch (failure) {
      if (mine === turn.current) setError(Server.messageOf(failure))
    } finally {
      if (mine === turn.current) isLoading.current = false
    }
  }

  const take = (execution: ExecutionSummary) => {
    const before = latest.current
    if (before === undefined) return
    if (before.some(({ id }) => id === execution.id)) {
      show(before.map((row) => (row.id === execution.id ? execution : row)))
    } else if (isShown(execution, query) && execution.created_at >= (before[0]?.created_at ?? "")) {
      show([execution, ...before])
    } else setNewer(true)
  }

  useEffect(() => {
    show(undefined)
    void page(null)
    return () => void turn.current++
  }, [key])

  useChanges({
    // Who has scrolled stays there.
    ready: () => ((latest.current?.length ?? 0) > pageSize ? setNewer(true) : void page(null)),
    execution: (execution) => {
      if (isLoading.current) changed.current.push(execution)
      take(execution)
    }
  })

  // Durations of what runs go on.
  const [, tick] = useState(0)
  useEvery(1_000, () => rows?.some(({ status }) => status === "running") === true && tick((count) => count + 1))

  const more = useCallback(() => {
    if (!isLoading.current && next !== null) void page(next)
  }, [next, key])
  return { rows, next, error, newer, more, reload: () => void page(null) }
}

/** What an input of the reader's zone has, as the API takes it. */
const moment = (local: string | undefined): string | undefined =>
  local === undefined ? undefined : new Date(local).toISOString()

const statuses = ["pending", "running", "completed", "failed"]

/** As an input of the reader's zone has it. */
const localTime = (at: string | undefined): string => {
  const millis = Date.parse(at ?? "")
  if (Number.isNaN(millis)) return ""
  const date = new Date(millis - new Date(millis).getTimezoneOffset() * 60_000)
  return date.toISOString().slice(0, 16)
}

const Filter = ({ query, vaults }: { readonly query: Query; readonly vaults: ReadonlyMap<string, VaultState> }) => {
  const submit = (event: SubmitEvent) => {
    const { from, to: until, ...others } = fieldsOf(event)
    const given = { ...others, from: moment(from), to: moment(until) }
    go(to("executions", null, given))
  }
  const pipelines = [...new Set([...vaults.values()].map(({ pipeline_id }) => pipeline_id))]
  return (
    <form class="filter" aria-label="Filter" onSubmit={submit}>
      <Choice
        label="Status"
        name="status"
        value={query["status"]}
        options={statuses.map((status) => [status, status])}
      />
      <Choice
        label="Vault"
        name="vault"
        value={query["vault"]}
        options={[...vaults.values()].map(({ id, name }) => [id, name ?? id])}
      />
      <Choice label="Pipeline" name="pipeline" value={query["pipeline"]} options={pipelines.map((id) => [id, id])} />
      <Text label="Document" name="document" value={query["document"]} />
      <Text label="Error" name="error" value={query["error"]} />
      <Text label="Version" name="version" value={query["version"]} />
      <label>
        From <input type="datetime-local" name="from" value={localTime(query["from"])} />
      </label>
      <label>
        To <input type="datetime-local" name="to" value={localTime(query["to"])} />
      </label>
      {query["operation"] === undefined ? null : <Text label="Operation" name="operation" value={query["operation"]} />}
      <span class="buttons">
        <button type="submit" class="primary">
          Filter
        </button>
        <a class="button" href={to("executions")}>
          Clear
        </a>
      </span>
    </form>
  )
}
