import type { ComponentChildren } from "preact"
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks"

export interface Column<A> {
  readonly title: string
  readonly cell: (row: A) => ComponentChildren
  readonly class?: string
}

interface Props<A> {
  readonly label: string
  readonly columns: ReadonlyArray<Column<A>>
  readonly rows: ReadonlyArray<A>
  readonly keyOf: (row: A) => string
  /** There are more than `rows`; asked for when the end comes near. */
  readonly more?: (() => void) | undefined
}

/** Pixels, as in the style sheet. */
const rowHeight = 38

/** Rows beyond what is seen, so that scrolling shows no gap. */
const beyond = 10

/** A table of any length, of which only the rows in sight are in the document. It says how many there are, and which each row is. */
export const VirtualTable = <A,>({ columns, keyOf, label, more, rows }: Props<A>) => {
  const region = useRef<HTMLDivElement>(null)
  const [view, setView] = useState({ top: 0, height: 600 })

  useLayoutEffect(() => {
    const element = region.current
    if (element === null) return
    const measure = () => setView({ top: element.scrollTop, height: element.clientHeight })
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(element)
    return () => observer.disconnect()
  }, [])

  const first = Math.min(Math.max(0, Math.floor(view.top / rowHeight) - beyond), Math.max(0, rows.length - 1))
  const last = Math.min(rows.length, Math.ceil((view.top + view.height) / rowHeight) + beyond)
  const isNearEnd = last >= rows.length - 50

  useEffect(() => {
    if (isNearEnd) more?.()
  }, [isNearEnd, more, rows.length])

  return (
    <div
      class="scroll"
      ref={region}
      role="region"
      aria-label={label}
      tabIndex={0}
      onScroll={({ currentTarget }) => setView({ top: currentTarget.scrollTop, height: currentTarget.clientHeight })}
    >
      <table class="rows" aria-rowcount={more === undefined ? rows.length + 1 : -1}>
        <thead>
          <tr aria-rowindex={1}>
            {columns.map(({ class: name, title }) => (
              <th key={title} scope="col" class={name}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <Spacer rows={first} columns={columns.length} />
          {rows.slice(first, last).map((row, index) => (
            <tr key={keyOf(row)} aria-rowindex={first + index + 2}>
              {columns.map(({ cell, class: name, title }) => (
                <td key={title} class={name}>
                  {cell(row)}
                </td>
              ))}
            </tr>
          ))}
          <Spacer rows={rows.length - last} columns={columns.length} />
        </tbody>
      </table>
    </div>
  )
}

const Spacer = ({ columns, rows }: { readonly rows: number; readonly columns: number }) =>
  rows <= 0 ? null : (
    <tr aria-hidden="true" class="spacer">
      <td colSpan={columns} style={{ height: `${rows * rowHeight}px` }} />
    </tr>
  )
