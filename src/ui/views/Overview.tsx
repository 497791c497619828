import type { Figures } from "../../operations/Overview.ts"
import { address, go, to } from "../Address.ts"
import { Failure } from "../Failure.tsx"
import { useEvery, useLoaded } from "../Loaded.ts"
import { duration, Moment } from "../Moment.tsx"
import * as Server from "../Server.ts"
import { money, UsageTable } from "../UsageTable.tsx"

const periods: ReadonlyArray<readonly [string, string]> = [
  ["1", "the last hour"],
  ["24", "the last 24 hours"],
  ["168", "the last 7 days"],
  ["720", "the last 30 days"]
]

export const Overview = () => {
  const hours = address.value.query["hours"] ?? "24"
  const { data, error, reload } = useLoaded(hours, () => Server.get<Figures>("/overview", { hours }))
  useEvery(10_000, reload)
  return (
    <>
      <p>
        <label>
          Period{" "}
          <select onChange={({ currentTarget }) => go(to("overview", null, { hours: currentTarget.value }))}>
            {periods.map(([value, text]) => (
              <option key={value} value={value} selected={value === hours}>
                {text}
              </option>
            ))}
          </select>
        </label>
      </p>
      {error === undefined ? null : <Failure message={error} retry={reload} />}
      {data === undefined ? (
        error === undefined ? (
          <p>Loading…</p>
        ) : null
      ) : (
        <Shown figures={data} hours={Number(hours)} />
      )}
    </>
  )
}

const Shown = ({ figures, hours }: { readonly figures: Figures; readonly hours: number }) => {
  const { counts, ended, failures, more, queue, since, usage } = figures
  const done = counts.completed + counts.failed + counts.cancelled
  const cost = usage.models.reduce<number | null>((sum, { cost }) => (cost === null ? sum : (sum ?? 0) + cost), null)
  const from = since
  return (
    <>
      <dl class="tiles">
        <Tile name="In the queue" value={queue.depth.toLocaleString()} />
        <Tile
          name="Oldest waits for"
          value={queue.oldest_age_seconds === null ? "–" : duration(queue.oldest_age_seconds)}
        />
        <Tile
          name="Poison queue"
          value={queue.poison_depth.toLocaleString()}
          href={to("poison")}
          isBad={queue.poison_depth > 0}
        />
        <Tile
          name="Running"
          value={counts.running.toLocaleString()}
          href={to("executions", null, { status: "running" })}
        />
        <Tile
          name="Pending"
          value={counts.pending.toLocaleString()}
          href={to("executions", null, { status: "pending" })}
        />
        <Tile
          name="Completed"
          value={counts.completed.toLocaleString()}
          href={to("executions", null, { status: "completed", from })}
        />
        <Tile
          name="Failed"
          value={counts.failed.toLocaleString()}
          href={to("executions", null, { status: "failed", from })}
          isBad={counts.failed > 0}
        />
        <Tile name="Ended an hour" value={(done / hours).toLocaleString(undefined, { maximumSignificantDigits: 3 })} />
      </dl>
      {more ? <p>There are more executions than were looked at: the oldest of this time are left out.</p> : null}
      <section aria-labelledby="throughput">
        <h2 id="throughput">Executions that ended</h2>
        <Bars ended={ended} />
      </section>
      <section aria-labelledby="failures">
        <h2 id="failures">Failures by reason</h2>
        {failures.length === 0 ? (
          <p class="empty">Nothing failed.</p>
        ) : (
          <table>
            <thead>
              <tr>
                <th scope="col" class="number narrow">
                  Times
                </th>
                <th scope="col">Reason</th>
                <th scope="col">For example</th>
              </tr>
            </thead>
            <tbody>
              {failures.map(({ count, execution_id, reason }) => (
                <tr key={reason}>
                  <td class="number">{count.toLocaleString()}</td>
                  <td class="wrap">{reason}</td>
                  <td>
                    <a href={to("executions", execution_id)}>{execution_id}</a>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </section>
      <section aria-labelledby="cost">
        <h2 id="cost">Cost</h2>
        {usage.models.length === 0 ? (
          <p class="empty">The last {usage.executions} executions that ended used no service that is paid for.</p>
        ) : (
          <>
            <p>
              Of the last {usage.executions} executions that ended
              {cost === null
                ? "; the price table has none of these models."
                : `: ${money(cost)}, which is ${money(cost / Math.max(1, usage.executions))} each.`}
            </p>
            <UsageTable models={usage.models} />
          </>
        )}
      </section>
    </>
  )
}

const Tile = ({
  href,
  isBad = false,
  name,
  value
}: {
  readonly name: string
  readonly value: string
  readonly href?: string
  readonly isBad?: boolean
}) => (
  <div class={isBad ? "tile bad" : "tile"}>
    <dt>{name}</dt>
    <dd>{href === undefined ? value : <a href={href}>{value}</a>}</dd>
  </div>
)

const chart = { width: 960, height: 140, gap: 3 }

/** Bars of what ended; the numbers are in a table below, for who wants or needs them. */
const Bars = ({ ended }: { readonly ended: Figures["ended"] }) => {
  const most = Math.max(1, ...ended.map(({ completed, failed }) => completed + failed))
  const step = chart.width / Math.max(1, ended.length)
  const tall = (count: number): number => (count / most) * chart.height
  const sum = (key: "completed" | "failed") => ended.reduce((all, each) => all + each[key], 0)
  return (
    <>
      <svg
        class="bars"
        role="img"
        aria-label={`${sum("completed")} completed and ${sum("failed")} failed, at most ${most} in one bar`}
        viewBox={`0 0 ${chart.width} ${chart.height}`}
        preserveAspectRatio="none"
      >
        {ended.map(({ at, completed, failed }, index) => (
          <g key={at}>
            <rect
              class="completed"
              x={index * step}
              width={step - chart.gap}
              y={chart.height - tall(completed)}
              height={tall(completed)}
            />
            <rect
              class="failed"
              x={index * step}
              width={step - chart.gap}
              y={chart.height - tall(completed + failed)}
              height={tall(failed)}
            />
          </g>
        ))}
      </svg>
      <p class="scale">
        <Moment at={ended[0]?.at ?? null} />
        <span>
          <span class="key completed" /> completed <span class="key failed" /> failed, at most {most} in one bar
        </span>
        <span>now</span>
      </p>
      <details>
        <summary>As a table</summary>
        <table>
          <thead>
            <tr>
              <th scope="col">From</th>
              <th scope="col" class="number">
                Completed
              </th>
              <th scope="col" class="number">
                Failed
              </th>
            </tr>
          </thead>
          <tbody>
            {ended
              .filter(({ completed, failed }) => completed + failed > 0)
              .map(({ at, completed, failed }) => (
                <tr key={at}>
                  <td>
                    <Moment at={at} />
                  </td>
                  <td class="number">{completed}</td>
                  <td class="number">{failed}</td>
                </tr>
              ))}
          </tbody>
        </table>
      </details>
    </>
  )
}
