import * as CutText from "../text/CutText.ts"
import type { Execution } from "./Execution.ts"
import * as JsonReader from "./JsonReader.ts"

/** What is known of an attempt, for people. */
export interface AttemptNote {
  /** When it began, as documents write times. */
  readonly started_at: string
  /** The worker's name in the execution. */
  readonly worker: string
  /** The executors that were at work last; empty when none had begun, or none was noted. */
  readonly at_work: ReadonlyArray<NodeNote>
}

export interface NodeNote {
  readonly executor_id: string
  readonly type: string
  /** The names of its first items. */
  readonly items: ReadonlyArray<string>
  readonly item_count: number
}

/** An attempt as its execution names it, from its start to its orderly end. */
export interface OpenAttempt extends AttemptNote {
  /** Unique among the attempts of all processes. */
  readonly id: string
  /** The process that runs it, unique among all that ever ran. */
  readonly process: string
  /** The message that it works on: a second copy has another. */
  readonly message_id: string
  /** The attempt lives no longer than this after the last write to its execution, unless it writes again. */
  readonly lease_seconds: number
  /** Nothing else was at work in its process. */
  readonly alone: boolean
}

/** Who may write an execution: the attempt that it names. Edits of other fields by others do not matter. */
export interface Ownership {
  readonly started_at: string
  readonly processing_worker_id: string
  readonly attempt_id: string
}

/** What an execution keeps of earlier attempts where the message can't be trusted with it, or has no room. */
export interface AttemptHistory {
  /** Deaths of a worker at which this was the only attempt at work. */
  readonly blamed: number
  /** The attempts that ended with their worker, the oldest first; the last few. */
  readonly deaths: ReadonlyArray<AttemptNote>
  /** Retries that are counted; a message without room for its own count says less. */
  readonly retries: number
}

export const noHistory: AttemptHistory = { blamed: 0, deaths: [], retries: 0 }

/** A worker died while this was at work: it runs alone from then on. */
export const isSuspect = ({ blamed, deaths }: AttemptHistory): boolean => blamed > 0 || deaths.length > 0

/** Documents and poison messages grow by little. */
const maxAttempts = 5
const maxNodes = 3
const maxItems = 2
const maxName = 200

export const ownershipOf = ({ id, started_at, worker }: OpenAttempt): Ownership => ({
  started_at,
  processing_worker_id: worker,
  attempt_id: id
})

/** The history after one more death. */
export const withDeath = (history: AttemptHistory, attempt: OpenAttempt, alone: boolean): AttemptHistory => ({
  ...history,
  blamed: history.blamed + (alone ? 1 : 0),
  deaths: [...history.deaths, noteOf(attempt)].slice(-maxAttempts)
})

/** The same attempt with what is at work in it now. */
export const withNodes = (attempt: OpenAttempt, nodes: ReadonlyArray<NodeNote>): OpenAttempt => ({
  ...attempt,
  at_work: nodes.slice(0, maxNodes).map(({ executor_id, item_count, items, type }) => ({
    executor_id: cut(executor_id),
    type: cut(type),
    items: items.slice(0, maxItems).map(cut),
    item_count
  }))
})

/**
 * The attempt of ours that began on this execution and has not ended in order; undefined when there is none, or when another program
 * has taken the execution since.
 */
export const openAttempt = ({ attempt, processing_worker_id, started_at }: Execution): OpenAttempt | undefined => {
  if (!JsonReader.isFields(attempt)) return undefined
  const note = readNote(attempt)
  const { alone, id, lease_seconds, message_id, process } = attempt
  return note === undefined ||
    note.started_at !== started_at ||
    note.worker !== processing_worker_id ||
    typeof id !== "string" ||
    typeof process !== "string" ||
    typeof message_id !== "string" ||
    typeof lease_seconds !== "number"
    ? undefined
    : { ...note, id, process, message_id, lease_seconds, alone: alone === true }
}

/** What the execution keeps of earlier attempts; nothing where it keeps something else. */
export const historyOf = ({ attempt_history: value }: Execution): AttemptHistory =>
  JsonReader.isFields(value)
    ? {
        blamed: countOf(value["blamed"]),
        deaths: (JsonReader.list(value["deaths"], readNote) ?? []).slice(-maxAttempts),
        retries: countOf(value["retries"])
      }
    : noHistory

const noteOf = ({ at_work, started_at, worker }: AttemptNote): AttemptNote => ({ started_at, worker, at_work })

const countOf = (value: unknown): number =>
  typeof value === "number" && Number.isSafeInteger(value) && value > 0 ? value : 0

const cut = (text: string): string => CutText.shortened(text, maxName)

const readNote = (value: unknown): AttemptNote | undefined => {
  if (!JsonReader.isFields(value)) return undefined
  const { started_at, worker } = value
  const at_work = JsonReader.list(value["at_work"], readNode)
  return typeof started_at !== "string" || typeof worker !== "string" || at_work === undefined
    ? undefined
    : { started_at: cut(started_at), worker: cut(worker), at_work: at_work.slice(0, maxNodes) }
}

const readNode = (value: unknown): NodeNote | undefined => {
  if (!JsonReader.isFields(value)) return undefined
  const { executor_id, item_count, type } = value
  const items = JsonReader.list(value["items"], (item) => (typeof item === "string" ? item : undefined))
  return typeof executor_id !== "string" ||
    typeof type !== "string" ||
    typeof item_count !== "number" ||
    items === undefined
    ? undefined
    : { executor_id: cut(executor_id), type: cut(type), item_count, items: items.slice(0, maxItems).map(cut) }
}
