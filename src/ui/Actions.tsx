import { signal } from "@preact/signals"
import type { ComponentChildren } from "preact"
import { useState } from "preact/hooks"
import type { BulkRequest } from "../operations/BulkRequest.ts"
import type { Operation } from "../operations/Operation.ts"
import { announce } from "./Announcement.tsx"
import { Badge } from "./Badge.tsx"
import { useChanges } from "./Changes.ts"
import { confirm } from "./Confirmation.tsx"
import { useEvery } from "./Loaded.ts"
import * as Server from "./Server.ts"
import { mayAct } from "./Session.ts"

interface ActionProps {
  readonly label: string
  /** What the button is about, for who does not see where it stands. */
  readonly of?: string | undefined
  readonly act: () => Promise<Operation>
  /** Asked before, where the act can't be undone. */
  readonly question?: string
  readonly done?: string
  readonly then?: (() => void) | undefined
}

/** A button that does something to one thing, and says what came of it. Readers have none. */
export const Action = ({ act, done, label, of, question, then }: ActionProps) => {
  const [isBusy, setBusy] = useState(false)
  if (!mayAct()) return null
  const press = async () => {
    if (question !== undefined) {
      const body = of === undefined ? null : <p class="subject">{of}</p>
      if (!(await confirm({ title: question, body, does: label, isDangerous: true }))) return
    }
    setBusy(true)
    try {
      const { notes } = await act()
      announce([done ?? `${label}: done.`, ...notes].join(" "))
      then?.()
    } catch (error) {
      announce(`${label}: ${Server.messageOf(error)}`)
    } finally {
      setBusy(false)
    }
  }
  return (
    <button
      type="button"
      aria-label={of === undefined ? undefined : `${label}: ${of}`}
      disabled={isBusy}
      onClick={press}
    >
      {label}
    </button>
  )
}

/** The last operation on many things that was begun here. */
const begun = signal<Operation | null>(null)

interface BulkProps {
  readonly label: string
  /** What it does, as a sentence about how many: "Retry 12 executions". */
  readonly sentence: (many: string) => string
  readonly request: BulkRequest
  readonly isDangerous?: boolean
  readonly children?: ComponentChildren
}

/** A button for everything that a filter names: counts first, then asks, then shows how far it is. */
export const BulkAction = ({ isDangerous = false, label, request, sentence }: BulkProps) => {
  const [isBusy, setBusy] = useState(false)
  if (!mayAct()) return null
  const press = async () => {
    setBusy(true)
    try {
      const { count, more } = await Server.post<{ readonly count: number; readonly more: boolean }>("/operations", {
        ...request,
        dry_run: true
      })
      if (count === 0) return announce(`${label}: there is nothing that the filter names.`)
      const many = `${count.toLocaleString()}${more ? " or more" : ""}`
      let rate = ""
      const isYes = await confirm({
        title: `${sentence(many)}?`,
        body: (
          <>
            <FilterText filter={request.filter} />
            <p>
              <label>
                At most so many a second{" "}
                <input
                  type="number"
                  min="0.2"
                  step="any"
                  placeholder="all at once"
                  onInput={({ currentTarget }) => (rate = currentTarget.value)}
                />
              </label>
            </p>
          </>
        ),
        does: sentence(many),
        isDangerous
      })
      if (!isYes) return
      begun.value = await Server.post<Operation>("/operations", {
        ...request,
        confirmed: true,
        // Sent twice, it begins once.
        operation_id: crypto.randomUUID?.() ?? `page-${Date.now()}`,
        ...(rate === "" ? {} : { rate_per_second: Number(rate) })
      })
      announce(`${sentence(many)}: begun.`)
    } catch (error) {
      announce(`${label}: ${Server.messageOf(error)}`)
    } finally {
      setBusy(false)
    }
  }
  return (
    <button type="button" disabled={isBusy} class={isDangerous ? "danger" : undefined} onClick={press}>
      {label}
    </button>
  )
}

/** A filter in words. */
export const FilterText = ({ filter }: { readonly filter: object }) => {
  const parts = Object.entries(filter).filter(([, value]) => value !== undefined)
  return parts.length === 0 ? (
    <p>There is no filter: this concerns all of them.</p>
  ) : (
    <dl class="facts">
      {parts.map(([name, value]) => (
        <div key={name}>
          <dt>{name.replaceAll("_", " ")}</dt>
          <dd>{String(value)}</dd>
        </div>
      ))}
    </dl>
  )
}

/** How far the operation is that was begun here last. */
export const BegunOperation = ({ ended }: { readonly ended?: (() => void) | undefined }) => {
  const operation = begun.value
  const take = (next: Operation) => {
    if (next.id !== begun.value?.id) return
    const isOver = begun.value.status === "running" && next.status !== "running"
    begun.value = next
    if (isOver) {
      announce(`The operation has ended: ${next.done} done, ${next.skipped} skipped, ${next.failed} failed.`)
      ended?.()
    }
  }
  useChanges({ operation: take })
  useEvery(1_000, () => {
    const { id, status } = begun.value ?? {}
    if (id !== undefined && status === "running")
      Server.get<Operation>(`/operations/${Server.part(id)}`).then(take, () => {})
  })
  if (operation === null) return null
  return (
    <section class="begun" aria-label="The operation that was begun">
      <OperationProgress operation={operation} />
      <OperationButtons operation={operation} changed={take} />
      {operation.status === "running" ? null : (
        <button type="button" onClick={() => (begun.value = null)}>
          Hide
        </button>
      )}
    </section>
  )
}

export const OperationProgress = ({ operation }: { readonly operation: Operation }) => {
  const { done, error, failed, notes, skipped, status, total, verb } = operation
  const sum = done + skipped + failed
  const counts = `${done.toLocaleString()} done, ${skipped.toLocaleString()} skipped, ${failed.toLocaleString()} failed`
  return (
    <>
      <Badge state={status} />
      <span>
        {verb.replaceAll("_", " ")}: {counts}
        {total === null ? "" : ` of ${total.toLocaleString()}`}
      </span>
      {status === "running" && total !== null ? (
        <progress aria-label={`${verb.replaceAll("_", " ")}: progress`} max={Math.max(1, total)} value={sum} />
      ) : null}
      {error === null ? null : <span class="error">{error}</span>}
      {notes.length === 0 || failed + skipped === 0 ? null : (
        <details>
          <summary>Why</summary>
          <ul>
            {notes.map((note, index) => (
              <li key={index}>{note}</li>
            ))}
          </ul>
        </details>
      )}
    </>
  )
}

/** Stop and go on, where the operation is one on many things. */
export const OperationButtons = ({
  changed,
  operation
}: {
  readonly operation: Operation
  readonly changed: (operation: Operation) => void
}) => {
  const verb = operation.status === "running" ? "stop" : operation.status === "stopped" ? "continue" : undefined
  if (verb === undefined || operation.target !== null) return null
  const act = async () => {
    const next = await Server.post<Operation>(`/operations/${Server.part(operation.id)}/${verb}`)
    changed(next)
    return { ...next, notes: [] }
  }
  const label = verb === "stop" ? "Stop" : "Continue"
  return <Action key={verb} label={label} of={`${operation.verb} ${operation.id}`} act={act} done={`${label}: done.`} />
}
