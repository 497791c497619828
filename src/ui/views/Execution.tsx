import type { ComponentChildren } from "preact"
import type { ExecutionDetails, NodeTime } from "../../operations/Executions.ts"
import type { Operation } from "../../operations/Operation.ts"
import type { PipelineGraph as Graph } from "../../operations/Pipelines.ts"
import { Action } from "../Actions.tsx"
import { go, to } from "../Address.ts"
import { Badge } from "../Badge.tsx"
import { useChanges } from "../Changes.ts"
import { Failure } from "../Failure.tsx"
import { useEvery, useLoaded } from "../Loaded.ts"
import { duration, Moment, Span } from "../Moment.tsx"
import { type NodeState, PipelineGraph } from "../PipelineGraph.tsx"
import * as Server from "../Server.ts"
import { type ModelUsage, UsageTable } from "../UsageTable.tsx"

type Fields = Readonly<Record<string, unknown>>

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Anybody may have written the document: a field that is no text is shown as what it is. */
const text = (value: unknown): string | null =>
  typeof value === "string" ? value : value === null || value === undefined ? null : JSON.stringify(value)

const number = (value: unknown): number | null => (typeof value === "number" ? value : null)

export const Execution = ({ id }: { readonly id: string }) => {
  const path = `/executions/${Server.part(id)}`
  const { data, error, reload } = useLoaded(id, () => Server.get<ExecutionDetails>(path))
  useChanges({ ready: reload, execution: (changed) => changed.id === id && reload() })
  const status = text(data?.execution["status"])
  useEvery(2_000, () => (status === "pending" || status === "running") && reload())
  if (data === undefined) return error === undefined ? <p>Loading…</p> : <Failure message={error} retry={reload} />
  const { attempts, cancelled, documents, execution, logs, timeline } = data
  const isOpen = status === "pending" || status === "running"
  const post = (verb: string) => () => Server.post<Operation>(`${path}/${verb}`)
  return (
    <>
      {error === undefined ? null : <Failure message={error} retry={reload} />}
      <div class="bar">
        <p>
          <Badge state={cancelled ? "cancelled" : (status ?? "unknown")} /> {text(execution["status_message"])}
        </p>
        {isOpen ? (
          <Action
            label="Cancel"
            of={documents[0] ?? id}
            act={post("cancel")}
            then={reload}
            question="Cancel this execution?"
          />
        ) : (
          <Action
            label="Retry"
            of={documents[0] ?? id}
            act={post("retry")}
            then={reload}
            done="It is in the queue again."
          />
        )}
        <Action
          label="Delete"
          of={documents[0] ?? id}
          act={() => Server.remove<Operation>(path)}
          then={() => go(to("executions"))}
          question="Delete this execution?"
        />
      </div>
      {text(execution["error"]) === null ? null : (
        <section aria-labelledby="error">
          <h2 id="error">Error</h2>
          <pre tabIndex={0}>{text(execution["error"])}</pre>
        </section>
      )}
      <Facts data={data} />
      <Drawing data={data} />
      <Timeline timeline={timeline} />
      <Usage timeline={timeline} />
      <Section id="documents" title={`Documents (${documents.length})`} isEmpty={documents.length === 0}>
        <ul class="names">
          {documents.slice(0, 500).map((name, index) => (
            <li key={index}>{name}</li>
          ))}
        </ul>
      </Section>
      <Section id="died" title="Attempts that ended with their worker" isEmpty={attempts.died.length === 0}>
        <Json value={attempts.died} />
      </Section>
      <Section id="earlier" title="Earlier runs" isEmpty={attempts.earlier_runs.length === 0}>
        <EarlierRuns runs={attempts.earlier_runs} />
      </Section>
      <Section id="log" title={`Log (${logs.length})`} isEmpty={logs.length === 0}>
        <Log logs={logs} />
      </Section>
      <details>
        <summary>As it is stored</summary>
        <Json value={execution} />
      </details>
    </>
  )
}

const Section = ({
  children,
  id,
  isEmpty,
  title
}: {
  readonly id: string
  readonly title: string
  readonly isEmpty: boolean
  readonly children: ComponentChildren
}) =>
  isEmpty ? null : (
    <section aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {children}
    </section>
  )

export const Json = ({ value }: { readonly value: unknown }) => <pre tabIndex={0}>{JSON.stringify(value, null, 2)}</pre>

const Fact = ({ children, name }: { readonly name: string; readonly children: ComponentChildren }) => (
  <div>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
)

const Facts = ({ data: { documents, execution, message } }: { readonly data: ExecutionDetails }) => {
  const vault = text(execution["vault_id"])
  const pipeline = text(execution["pipeline_id"])
  const ended = text(execution["completed_at"])
  const operation = isFields(execution["operation"]) ? execution["operation"] : undefined
  return (
    <dl class="facts">
      <Fact name="Document">{documents[0] ?? "–"}</Fact>
      <Fact name="Vault">{vault === null ? "–" : <a href={to("vaults", vault)}>{vault}</a>}</Fact>
      <Fact name="Pipeline">
        <a href={to("executions", null, { pipeline: pipeline ?? undefined })}>
          {text(execution["pipeline_name"]) ?? pipeline}
        </a>
      </Fact>
      <Fact name="Pipeline version">{text(execution["pipeline_version"]) ?? "–"}</Fact>
      <Fact name="Created">
        <Moment at={text(execution["created_at"])} />
      </Fact>
      <Fact name="Started">
        <Moment at={text(execution["started_at"])} />
      </Fact>
      <Fact name="Ended">
        <Moment at={ended} />
      </Fact>
      <Fact name="Took">
        {text(execution["started_at"]) === null ? "–" : <Span from={text(execution["started_at"])} to={ended} />}
      </Fact>
      <Fact name="Worker">{text(execution["processing_worker_id"]) ?? "–"}</Fact>
      <Fact name="Its message">{message === "none" ? "none is left" : `with the ${message}`}</Fact>
      {operation === undefined ? null : (
        <Fact name="Put back by">
          {text(operation["by"])} <Moment at={text(operation["at"])} />
        </Fact>
      )}
    </dl>
  )
}

const Drawing = ({ data: { attempts, execution, timeline } }: { readonly data: ExecutionDetails }) => {
  const pipeline = text(execution["pipeline_id"]) ?? ""
  const version = text(execution["pipeline_version"]) ?? undefined
  const { data, error } = useLoaded(`${pipeline} ${version}`, () =>
    Server.get<Graph>(`/pipelines/${Server.part(pipeline)}`, { version })
  )
  const nodes = new Map(timeline.map((node) => [node.executor_id, node]))
  const work = attempts.open?.["at_work"]
  const atWork = new Set(
    (Array.isArray(work) ? work : []).map((each: unknown) => (isFields(each) ? each["executor_id"] : null))
  )
  const stateOf = (id: string): NodeState => {
    const node = nodes.get(id)
    if (node !== undefined) {
      return {
        state: text(node["status"]) ?? "unknown",
        seconds: number(node["duration_seconds"]),
        items: `${text(node["items_in"]) ?? "?"} → ${text(node["items_out"]) ?? "?"}`
      }
    }
    const state =
      execution["executed_input_executor"] === id
        ? "done by the crawl"
        : atWork.has(id)
          ? "running"
          : execution["status"] === "pending" || execution["status"] === "running"
            ? "not yet known"
            : "not run"
    return { state, seconds: null, items: null }
  }
  return (
    <section aria-labelledby="graph">
      <h2 id="graph">Pipeline</h2>
      {error === undefined ? null : <p class="empty">{error}</p>}
      {data === undefined ? null : (
        <>
          {data.replaced ? <p>The version that it ran is not kept any more; this is today’s.</p> : null}
          {!data.replaced && data.version !== data.current_version ? (
            <p>As it was when this ran; it has been edited since.</p>
          ) : null}
          {data.problem === null ? (
            <PipelineGraph graph={data} stateOf={stateOf} />
          ) : (
            <p class="failure">{data.problem}</p>
          )}
        </>
      )}
    </section>
  )
}

const timeOf = (value: unknown): number => Date.parse(text(value) ?? "")

const Timeline = ({ timeline }: { readonly timeline: ReadonlyArray<NodeTime> }) => {
  const start = Math.min(...timeline.map((node) => timeOf(node["started_at"])))
  const end = Math.max(...timeline.map((node) => timeOf(node["completed_at"])))
  const share = (millis: number): number => (end > start ? (100 * millis) / (end - start) : 0)
  return (
    <Section id="timeline" title="Nodes" isEmpty={timeline.length === 0}>
      <div class="scroll-x" role="group" aria-label="Nodes" tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th scope="col">Node</th>
              <th scope="col">Status</th>
              <th scope="col">Started</th>
              <th scope="col" class="number">
                Took
              </th>
              <th scope="col">When</th>
              <th scope="col" class="number">
                Items in
              </th>
              <th scope="col" class="number">
                Out
              </th>
              <th scope="col" class="number">
                Failed
              </th>
              <th scope="col">Result</th>
              <th scope="col">Error</th>
            </tr>
          </thead>
          <tbody>
            {timeline.map((node) => (
              <tr key={node.executor_id}>
                <th scope="row">
                  {node.executor_id} <span class="quiet">{text(node["type"])}</span>
                </th>
                <td>
                  <Badge state={text(node["status"]) ?? "unknown"} />
                </td>
                <td>
                  <Moment at={text(node["started_at"])} />
                </td>
                <td class="number">
                  {number(node["duration_seconds"]) === null ? "–" : duration(number(node["duration_seconds"]) ?? 0)}
                </td>
                <td>
                  <svg class="span" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
                    <rect
                      x={share(timeOf(node["started_at"]) - start)}
                      y="1"
                      height="8"
                      width={Math.max(1, share(timeOf(node["completed_at"]) - timeOf(node["started_at"])))}
                    />
                  </svg>
                </td>
                <td class="number">{text(node["items_in"])}</td>
                <td class="number">{text(node["items_out"])}</td>
                <td class="number">{text(node["items_failed"])}</td>
                <td>{text(node["from"]) ?? "–"}</td>
                <td class="error">{text(node["error"])}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Section>
  )
}

const Usage = ({ timeline }: { readonly timeline: ReadonlyArray<NodeTime> }) => {
  const used = timeline.flatMap((node) =>
    (Array.isArray(node["usage"]) ? (node["usage"] as ReadonlyArray<ModelUsage>) : []).map((usage) => ({
      ...usage,
      node: node.executor_id
    }))
  )
  return (
    <Section id="usage" title="Usage" isEmpty={used.length === 0}>
      <UsageTable models={used} />
    </Section>
  )
}

const EarlierRuns = ({ runs }: { readonly runs: ReadonlyArray<unknown> }) => (
  <ul class="names">
    {runs.map((run, index) => (
      <li key={index}>
        {isFields(run) ? (
          <>
            {text(run["status"])} <Moment at={text(run["completed_at"])} />{" "}
            <span class="error">{text(run["error"])}</span>
          </>
        ) : (
          text(run)
        )}
      </li>
    ))}
  </ul>
)

const Log = ({ logs }: { readonly logs: ReadonlyArray<Fields> }) => (
  <div class="scroll-x" role="group" aria-label="Log" tabIndex={0}>
    <table>
      <thead>
        <tr>
          <th scope="col">Document</th>
          <th scope="col">Node</th>
          <th scope="col">Time</th>
          <th scope="col">Status</th>
          <th scope="col">What</th>
        </tr>
      </thead>
      <tbody>
        {logs.map(({ document, end_time, executor_id, start_time, status, ...rest }, index) => (
          <tr key={index}>
            <td>{text(document)}</td>
            <td>{text(executor_id)}</td>
            <td>
              <Moment at={text(start_time) ?? text(end_time)} />
            </td>
            <td>{text(status)}</td>
            <td class="wrap">{whatOf(rest)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  </div>
)

const whatOf = ({ details, errors, message, ...rest }: Fields): string =>
  [message, errors, details, Object.keys(rest).length === 0 ? null : rest]
    .filter((part) => part !== null && part !== undefined && !(Array.isArray(part) && part.length === 0))
    .map((part) => text(part))
    .join(" ")
