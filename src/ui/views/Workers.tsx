import type { Operation } from "../../operations/Operation.ts"
import type { Worker } from "../../operations/Worker.ts"
import { Action } from "../Actions.tsx"
import { Badge } from "../Badge.tsx"
import { Failure } from "../Failure.tsx"
import { useEvery, useLoaded } from "../Loaded.ts"
import { Moment } from "../Moment.tsx"
import * as Server from "../Server.ts"

export const Workers = () => {
  const { data, error, reload } = useLoaded("workers", () => Server.get<Server.Page<Worker>>("/workers"))
  useEvery(5_000, reload)
  return (
    <>
      {error === undefined ? null : <Failure message={error} retry={reload} />}
      {data === undefined ? null : data.items.length === 0 ? (
        <p class="empty">No worker told of itself in the last minute.</p>
      ) : (
        <div class="cards">
          {data.items.map((worker) => (
            <Card key={worker.process} worker={worker} then={reload} />
          ))}
        </div>
      )}
    </>
  )
}

const Card = ({ then, worker }: { readonly worker: Worker; readonly then: () => void }) => {
  const {
    draining,
    host,
    leases,
    memory_bytes,
    pid,
    process,
    processing,
    runtime,
    source,
    stalled,
    started_at,
    updated_at,
    version,
    worker_name
  } = worker
  const at = `${worker_name} on ${host}`
  return (
    <section class="card" aria-labelledby={`worker-${process}`}>
      <h2 id={`worker-${process}`}>{at}</h2>
      <p>
        {draining ? <Badge state="draining" /> : "takes work"}{" "}
        {stalled.map((loop) => (
          <span key={loop}>
            <Badge state="stalled" /> {loop}{" "}
          </span>
        ))}
      </p>
      <dl class="facts">
        {(
          [
            ["Version", version],
            ["Runtime", runtime],
            ["Process", `${process} (pid ${pid})`],
            ["Memory", `${Math.round(memory_bytes / 1_048_576).toLocaleString()} MB`],
            ["Tasks it holds", leases.toLocaleString()],
            ["Started", <Moment at={started_at} />],
            ["Last word", <Moment at={updated_at} />]
          ] as const
        ).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <h3>What it does</h3>
      <ul class="names">
        {[...processing, ...source].map(({ doing, id, since }, index) => (
          <li key={`${index} ${id}`}>
            {index < processing.length ? "processing" : "source"} {id}: {doing}{" "}
            {since === null ? null : <Moment at={since} />}
          </li>
        ))}
      </ul>
      {draining ? null : (
        <Action
          label="Drain"
          of={at}
          question="Let this worker take no more work? It finishes what it has, and idles until it is started again."
          act={() => Server.post<Operation>(`/workers/${Server.part(process)}/drain`)}
          done="It takes no more work within 15 seconds."
          then={then}
        />
      )}
    </section>
  )
}
