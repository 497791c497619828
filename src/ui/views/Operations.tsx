import { useState } from "preact/hooks"
import type { Operation } from "../../operations/Operation.ts"
import { FilterText, OperationButtons, OperationProgress } from "../Actions.tsx"
import { to } from "../Address.ts"
import { useChanges } from "../Changes.ts"
import { Failure } from "../Failure.tsx"
import { useEvery, useLoaded } from "../Loaded.ts"
import { Moment } from "../Moment.tsx"
import * as Server from "../Server.ts"

const pageSize = 50

/** What was done by whom. */
export const Operations = () => {
  const [pages, setPages] = useState<ReadonlyArray<Server.Page<Operation>>>([])
  const { data, error, reload } = useLoaded("operations", () =>
    Server.get<Server.Page<Operation>>("/operations", { limit: pageSize })
  )
  useChanges({ ready: reload, operation: reload })
  useEvery(5_000, reload)
  const next = pages.length === 0 ? data?.next : pages.at(-1)?.next
  const known = new Map([...(data?.items ?? []), ...pages.flatMap(({ items }) => items)].map((each) => [each.id, each]))
  const more = () =>
    Server.get<Server.Page<Operation>>("/operations", { limit: pageSize, after: next ?? undefined }).then(
      (page) => setPages([...pages, page]),
      () => {}
    )
  return (
    <>
      <p>What people did: who, when, what, and to how many.</p>
      {error === undefined ? null : <Failure message={error} retry={reload} />}
      {data === undefined ? null : known.size === 0 ? (
        <p class="empty">Nobody did anything yet.</p>
      ) : (
        <div class="scroll-x" role="group" aria-label="Operations" tabIndex={0}>
          <table>
            <thead>
              <tr>
                <th scope="col">When</th>
                <th scope="col">Who</th>
                <th scope="col">What</th>
                <th scope="col">To what</th>
                <th scope="col">Actions</th>
              </tr>
            </thead>
            <tbody>
              {[...known.values()].map((operation) => (
                <tr key={operation.id}>
                  <td>
                    <Moment at={operation.created_at} />
                  </td>
                  <td>{operation.by}</td>
                  <td>
                    <div class="progress">
                      <OperationProgress operation={operation} />
                    </div>
                  </td>
                  <td class="wrap">
                    <Target operation={operation} />
                  </td>
                  <td>
                    <OperationButtons operation={operation} changed={reload} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {next === null || next === undefined ? null : (
        <p>
          <button type="button" onClick={more}>
            Show older ones
          </button>
        </p>
      )}
    </>
  )
}

const ofExecutions = new Set(["retry", "cancel", "delete", "submit"])

const Target = ({ operation: { filter, id, target, verb } }: { readonly operation: Operation }) => {
  if (target !== null) return ofExecutions.has(verb) ? <a href={to("executions", target)}>{target}</a> : <>{target}</>
  return (
    <>
      {verb === "retry" ? <a href={to("executions", null, { operation: id })}>what it put back</a> : null}
      <details>
        <summary>by a filter</summary>
        <FilterText filter={filter ?? {}} />
      </details>
    </>
  )
}
