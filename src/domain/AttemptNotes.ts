import * as Quick from "./Quick.ts"

/** What an attempt left behind before its worker died. */
export interface AttemptNote {
  /** When it began, as documents write times. */
  readonly started_at: string
  /** The worker's name in the execution. */
  readonly worker: string
  /** The executors that were at work last; empty when none had begun, or nobody could note it. */
  readonly at_work: ReadonlyArray<NodeNote>
}

export interface NodeNote {
  readonly executor_id: string
  readonly type: string
  /** The names of its first items. */
  readonly items: ReadonlyArray<string>
  readonly item_count: number
}

/** A message grows by little: there is room between the largest that we send and the largest that the queue takes. */
const maxAttempts = 5
const maxNodes = 3
const maxItems = 2
const maxName = 200

/** The notes as a message carries them: for itself alone, since its text may be put into another one. */
export const toJson = (messageId: string, attempts: ReadonlyArray<AttemptNote>): Quick.Fields => ({
  message_id: messageId,
  attempts: attempts.slice(-maxAttempts).map(({ at_work, started_at, worker }) => ({
    started_at,
    worker,
    at_work: at_work.slice(0, maxNodes).map(({ executor_id, item_count, items, type }) => ({
      executor_id: cut(executor_id),
      type: cut(type),
      items: items.slice(0, maxItems).map(cut),
      item_count
    }))
  }))
})

/** The notes of this message, the oldest first; none where it carries none, or something else. */
export const fromJson = (messageId: string, value: unknown): ReadonlyArray<AttemptNote> => {
  if (!Quick.isFields(value) || value["message_id"] !== messageId) return []
  return (Quick.list(value["attempts"], readAttempt) ?? []).slice(-maxAttempts)
}

const cut = (text: string): string => (text.length > maxName ? `${text.slice(0, maxName)}…` : text)

const readAttempt = (value: unknown): AttemptNote | undefined => {
  if (!Quick.isFields(value)) return undefined
  const { started_at, worker } = value
  const at_work = Quick.list(value["at_work"], readNode)
  return typeof started_at !== "string" || typeof worker !== "string" || at_work === undefined
    ? undefined
    : { started_at: cut(started_at), worker: cut(worker), at_work: at_work.slice(0, maxNodes) }
}

const readNode = (value: unknown): NodeNote | undefined => {
  if (!Quick.isFields(value)) return undefined
  const { executor_id, item_count, type } = value
  const items = Quick.list(value["items"], (item) => (typeof item === "string" ? item : undefined))
  return typeof executor_id !== "string" ||
    typeof type !== "string" ||
    typeof item_count !== "number" ||
    items === undefined
    ? undefined
    : { executor_id: cut(executor_id), type: cut(type), item_count, items: items.slice(0, maxItems).map(cut) }
}
