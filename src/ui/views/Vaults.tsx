import { useState } from "preact/hooks"
import type { Pause, PausedWork, PauseScope } from "../../domain/Control.ts"
import type { ExecutionSummary } from "../../domain/ExecutionFilter.ts"
import type { BackfillFilter } from "../../operations/BulkRequest.ts"
import type { Operation } from "../../operations/Operation.ts"
import type { PipelineGraph } from "../../operations/Pipelines.ts"
import type { CrawlState, VaultState } from "../../operations/Vaults.ts"
import { Action, BegunOperation, BulkAction } from "../Actions.tsx"
import { to } from "../Address.ts"
import { Badge } from "../Badge.tsx"
import { Failure } from "../Failure.tsx"
import { useEvery, useLoaded } from "../Loaded.ts"
import { duration, Moment } from "../Moment.tsx"
import * as Server from "../Server.ts"
import { mayAct } from "../Session.ts"

const works: ReadonlyArray<readonly [PausedWork, string]> = [
  ["everything", "crawling and processing"],
  ["crawling", "crawling"],
  ["processing", "processing"]
]

const nameOf = ({ id, name }: VaultState): string => name ?? id

/** The crawl that began last stands for the vault. */
const lastCrawl = ({ crawls }: VaultState): CrawlState | undefined =>
  [...crawls].sort((a, b) => (b.last_started_at ?? "").localeCompare(a.last_started_at ?? ""))[0]

export const Vaults = () => {
  const { data, error, reload } = useLoaded("vaults", () => Server.get<Server.Page<VaultState>>("/vaults"))
  const pauses = useLoaded("pauses", () => Server.get<Server.Page<Pause>>("/pauses"))
  const again = () => {
    reload()
    pauses.reload()
  }
  useEvery(5_000, again)
  return (
    <>
      {error === undefined ? null : <Failure message={error} retry={reload} />}
      {data === undefined ? null : data.items.length === 0 ? (
        <p class="empty">There are no vaults.</p>
      ) : (
        <div class="scroll-x" role="group" aria-label="Vaults" tabIndex={0}>
          <table>
            <thead>
              <tr>
                <th scope="col">Vault</th>
                <th scope="col">State</th>
                <th scope="col">Last crawl</th>
                <th scope="col">Next</th>
                <th scope="col">Overdue</th>
                <th scope="col">Actions</th>
              </tr>
            </thead>
            <tbody>
              {data.items.map((vault) => (
                <Row key={vault.id} vault={vault} then={again} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      <section aria-labelledby="pauses">
        <h2 id="pauses">Pauses</h2>
        <Pauses pauses={pauses.data?.items ?? []} then={again} />
        <PauseForm scope={{ of: "all" }} name="everything" then={again} />
      </section>
    </>
  )
}

const States = ({ vault }: { readonly vault: VaultState }) => {
  const { crawling_paused, enabled, processing_paused } = vault
  return (
    <>
      {enabled ? null : <Badge state="disabled" />}{" "}
      {lastCrawl(vault)?.crawling === true ? <Badge state="crawling" /> : null}{" "}
      {crawling_paused === null && processing_paused === null ? (
        enabled ? (
          "on"
        ) : null
      ) : (
        <>
          <Badge state="paused" />{" "}
          {[crawling_paused === null ? [] : ["crawling"], processing_paused === null ? [] : ["processing"]]
            .flat()
            .join(", ")}
        </>
      )}
    </>
  )
}

const CrawlNow = ({ then, vault }: { readonly vault: VaultState; readonly then: () => void }) => (
  <Action
    label="Crawl now"
    of={nameOf(vault)}
    act={() => Server.post<Operation>(`/vaults/${Server.part(vault.id)}/crawl`)}
    done="A worker crawls it as soon as one is free."
    then={then}
  />
)

/** Deletions that wait for a person: how many, and the button that lets them happen. */
const Held = ({ then, vault }: { readonly vault: VaultState; readonly then: () => void }) => {
  const held = vault.deletions_held
  if (held === null) return null
  const many = `${held.documents.toLocaleString()} ${held.documents === 1 ? "deletion" : "deletions"}`
  if (held.confirmed) return <p>{many} confirmed: the next crawl removes the outputs.</p>
  const gone = `${held.documents.toLocaleString()} of ${held.of.toLocaleString()} documents`
  return (
    <p>
      <span class="badge held">{many} held</span>{" "}
      <Action
        label="Confirm deletions"
        of={nameOf(vault)}
        question={`Remove the outputs of ${gone} that are gone from the source?`}
        act={() => Server.post<Operation>(`/vaults/${Server.part(vault.id)}/confirm-deletions`, { token: held.token })}
        done="Deletions confirmed."
        then={then}
      />
    </p>
  )
}

const Row = ({ then, vault }: { readonly vault: VaultState; readonly then: () => void }) => {
  const crawl = lastCrawl(vault)
  const scope: PauseScope = { of: "vault", id: vault.id }
  const own = [vault.crawling_paused, vault.processing_paused].find(
    (pause) => pause?.scope.of === "vault" && pause.scope.id === vault.id
  )
  return (
    <tr>
      <th scope="row">
        <a href={to("vaults", vault.id)}>{nameOf(vault)}</a> <span class="quiet">{vault.pipeline_id}</span>
      </th>
      <td>
        <States vault={vault} />
        <Held vault={vault} then={then} />
      </td>
      <td>
        <Moment at={crawl?.last_started_at} />
      </td>
      <td>
        <Moment at={crawl?.next_at} />
      </td>
      <td>{crawl === undefined || crawl.overdue_seconds <= 0 ? "–" : <Overdue seconds={crawl.overdue_seconds} />}</td>
      <td class="acts">
        <CrawlNow vault={vault} then={then} />
        {own === undefined || own === null ? (
          <PauseAction scope={scope} work="everything" of={nameOf(vault)} then={then} />
        ) : (
          <ResumeAction scope={scope} work="everything" of={nameOf(vault)} then={then} />
        )}
      </td>
    </tr>
  )
}

const Overdue = ({ seconds }: { readonly seconds: number }) => <span class="error">{duration(seconds)}</span>

interface PauseProps {
  readonly scope: PauseScope
  readonly work: PausedWork
  readonly of: string
  readonly then: () => void
}

const PauseAction = ({ of, scope, then, work }: PauseProps) => (
  <Action
    label="Pause"
    of={of}
    act={() => Server.post<Operation>("/pauses", { scope, work })}
    done="All workers obey within 15 seconds."
    then={then}
  />
)

const ResumeAction = ({ of, scope, then, work }: PauseProps) => (
  <Action
    label="Resume"
    of={of}
    act={() => Server.post<Operation>("/pauses/resume", { scope, work })}
    done="All workers obey within 15 seconds."
    then={then}
  />
)

const scopeText = ({ scope }: Pause): string => (scope.of === "all" ? "everything" : `the ${scope.of} ${scope.id}`)

const Pauses = ({ pauses, then }: { readonly pauses: ReadonlyArray<Pause>; readonly then: () => void }) =>
  pauses.length === 0 ? (
    <p class="empty">Nothing is paused.</p>
  ) : (
    <ul class="list">
      {pauses.map((pause) => (
        <li key={`${scopeText(pause)} ${pause.work}`}>
          <span>
            <Badge state="paused" /> {pause.work === "everything" ? "crawling and processing" : pause.work} of{" "}
            {scopeText(pause)}, by {pause.by} since <Moment at={pause.at} />
          </span>
          <ResumeAction scope={pause.scope} work={pause.work} of={scopeText(pause)} then={then} />
        </li>
      ))}
    </ul>
  )

/** Lets one kind of work rest, or both. */
const PauseForm = ({
  name,
  scope,
  then
}: {
  readonly scope: PauseScope
  readonly name: string
  readonly then: () => void
}) => {
  const [work, setWork] = useState<PausedWork>("everything")
  if (!mayAct()) return null
  return (
    <p class="buttons">
      <label>
        Pause of {name}{" "}
        <select onChange={({ currentTarget }) => setWork(currentTarget.value as PausedWork)}>
          {works.map(([value, text]) => (
            <option key={value} value={value} selected={value === work}>
              {text}
            </option>
          ))}
        </select>
      </label>
      <PauseAction scope={scope} work={work} of={name} then={then} />
    </p>
  )
}

export const Vault = ({ id }: { readonly id: string }) => {
  const { data, error, reload } = useLoaded(id, () => Server.get<VaultState>(`/vaults/${Server.part(id)}`))
  const failures = useLoaded(`failures of ${id}`, () =>
    Server.get<Server.Page<ExecutionSummary>>("/executions", { vault: id, status: "failed", limit: 10 })
  )
  const pauses = useLoaded("pauses", () => Server.get<Server.Page<Pause>>("/pauses"))
  const again = () => {
    reload()
    pauses.reload()
  }
  useEvery(5_000, again)
  if (data === undefined) return error === undefined ? <p>Loading…</p> : <Failure message={error} retry={reload} />
  const own = (pauses.data?.items ?? []).filter(
    ({ scope }) =>
      scope.of === "all" ||
      (scope.of === "vault" && scope.id === id) ||
      (scope.of === "pipeline" && scope.id === data.pipeline_id)
  )
  const scope: PauseScope = { of: "vault", id }
  return (
    <>
      {error === undefined ? null : <Failure message={error} retry={reload} />}
      <div class="bar">
        <p>
          <States vault={data} /> {data.name}
        </p>
        <Held vault={data} then={again} />
        <CrawlNow vault={data} then={again} />
        <a class="button" href={to("executions", null, { vault: id })}>
          Its executions
        </a>
      </div>
      <section aria-labelledby="crawls">
        <h2 id="crawls">Crawls</h2>
        <Crawls crawls={data.crawls} />
      </section>
      <section aria-labelledby="pauses">
        <h2 id="pauses">Pauses</h2>
        <Pauses pauses={own} then={again} />
        <PauseForm scope={scope} name="this vault" then={again} />
      </section>
      {mayAct() ? <Backfill vault={data} /> : null}
      <section aria-labelledby="failures">
        <h2 id="failures">Last failures</h2>
        <Failures failures={failures.data?.items ?? []} />
      </section>
    </>
  )
}

const Crawls = ({ crawls }: { readonly crawls: ReadonlyArray<CrawlState> }) =>
  crawls.length === 0 ? (
    <p class="empty">It was never crawled.</p>
  ) : (
    <table>
      <thead>
        <tr>
          <th scope="col">Executor</th>
          <th scope="col">State</th>
          <th scope="col">Last began</th>
          <th scope="col">Last completed</th>
          <th scope="col">Next</th>
          <th scope="col">Overdue</th>
        </tr>
      </thead>
      <tbody>
        {crawls.map((crawl) => (
          <tr key={crawl.executor_id}>
            <th scope="row">{crawl.executor_id}</th>
            <td>{crawl.crawling ? <Badge state="crawling" /> : "at rest"}</td>
            <td>
              <Moment at={crawl.last_started_at} />
            </td>
            <td>
              <Moment at={crawl.last_completed_at} />
            </td>
            <td>
              <Moment at={crawl.next_at} />
            </td>
            <td>{crawl.overdue_seconds <= 0 ? "–" : <Overdue seconds={crawl.overdue_seconds} />}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )

const Failures = ({ failures }: { readonly failures: ReadonlyArray<ExecutionSummary> }) =>
  failures.length === 0 ? (
    <p class="empty">None.</p>
  ) : (
    <ul class="list">
      {failures.map(({ completed_at, created_at, document, error, id }) => (
        <li key={id}>
          <span>
            <a href={to("executions", id)}>{document ?? id}</a> <Moment at={completed_at ?? created_at} />{" "}
            <span class="error wrap">{error}</span>
          </span>
        </li>
      ))}
    </ul>
  )

const choices: ReadonlyArray<readonly [BackfillFilter["which"], string]> = [
  ["failed", "that failed"],
  ["older_version", "that ran under an older version of the pipeline"],
  ["changed_since", "that changed since"],
  ["all", "all of them"]
]

/** Processes documents of the vault again; what was stays. */
const Backfill = ({ vault }: { readonly vault: VaultState }) => {
  const [which, setWhich] = useState<BackfillFilter["which"]>("failed")
  const [since, setSince] = useState("")
  const [document, setDocument] = useState("")
  const pipeline = useLoaded(vault.pipeline_id, () =>
    Server.get<PipelineGraph>(`/pipelines/${Server.part(vault.pipeline_id)}`)
  )
  const version = pipeline.data?.current_version
  const isWhole = which === "changed_since" ? since !== "" : which !== "older_version" || version !== undefined
  const filter: BackfillFilter = {
    vault_id: vault.id,
    which,
    ...(which === "older_version" && version !== undefined ? { pipeline_version: version } : {}),
    ...(which === "changed_since" && since !== "" ? { since: new Date(since).toISOString() } : {}),
    ...(document.trim() === "" ? {} : { document: document.trim() })
  }
  return (
    <section aria-labelledby="backfill">
      <h2 id="backfill">Process again</h2>
      <div class="filter">
        <label>
          Documents
          <select onChange={({ currentTarget }) => setWhich(currentTarget.value as BackfillFilter["which"])}>
            {choices.map(([value, text]) => (
              <option key={value} value={value} selected={value === which}>
                {text}
              </option>
            ))}
          </select>
        </label>
        {which === "changed_since" ? (
          <label>
            Since
            <input type="datetime-local" value={since} onInput={({ currentTarget }) => setSince(currentTarget.value)} />
          </label>
        ) : null}
        <label>
          Whose name has
          <input
            type="text"
            value={document}
            maxLength={1_000}
            onInput={({ currentTarget }) => setDocument(currentTarget.value)}
          />
        </label>
        {isWhole ? (
          <BulkAction
            label="Process again"
            sentence={(many) => `Process ${many} documents again`}
            request={{ verb: "backfill", filter }}
          />
        ) : null}
      </div>
      <BegunOperation />
    </section>
  )
}
