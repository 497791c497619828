import { signal } from "@preact/signals"
import { useEffect } from "preact/hooks"
import type { ExecutionSummary } from "../domain/ExecutionFilter.ts"
import type { Operation } from "../operations/Operation.ts"

interface Listener {
  /** Changes are told from now on: what was loaded before may lack some. */
  readonly ready?: () => void
  readonly execution?: (execution: ExecutionSummary) => void
  readonly operation?: (operation: Operation) => void
}

const listeners = new Set<Listener>()

/** Whether changes come by themselves. */
export const isLive = signal(false)

/** Follows what changes as long as somebody is signed in; the browser connects again when the connection breaks. */
export const follow = (): (() => void) => {
  const source = new EventSource("/events")
  source.addEventListener("ready", () => {
    isLive.value = true
    for (const listener of listeners) listener.ready?.()
  })
  source.addEventListener("error", () => (isLive.value = false))
  source.addEventListener("execution", ({ data }: MessageEvent<string>) => {
    const execution = JSON.parse(data) as ExecutionSummary
    for (const listener of listeners) listener.execution?.(execution)
  })
  source.addEventListener("operation", ({ data }: MessageEvent<string>) => {
    const operation = JSON.parse(data) as Operation
    for (const listener of listeners) listener.operation?.(operation)
  })
  return () => {
    source.close()
    isLive.value = false
  }
}

/** Tells a view of changes while it is shown. */
export const useChanges = (listener: Listener): void =>
  useEffect(() => {
    listeners.add(listener)
    return () => void listeners.delete(listener)
  })
