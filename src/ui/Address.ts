import { computed, signal } from "@preact/signals"

export const views = {
  overview: "Overview",
  executions: "Executions",
  poison: "Poison queue",
  vaults: "Vaults",
  workers: "Workers",
  operations: "Operations"
} as const

export type View = keyof typeof views

/** Where somebody is: the part of the address after `#`, which can be shared. */
export interface Address {
  readonly view: View
  /** Of one thing of the view. */
  readonly id: string | null
  readonly query: Readonly<Record<string, string>>
}

const isView = (name: string | undefined): name is View => name !== undefined && name in views

const decode = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

const read = (hash: string): Address => {
  const [path = "", search = ""] = hash.replace(/^#\/?/, "").split("?", 2)
  const [view, ...rest] = path.split("/")
  const id = decode(rest.join("/"))
  return {
    view: isView(view) ? view : "overview",
    id: id === "" ? null : id,
    query: Object.fromEntries(new URLSearchParams(search))
  }
}

const hash = signal(window.location.hash)
window.addEventListener("hashchange", () => (hash.value = window.location.hash))

export const address = computed(() => read(hash.value))

/** The address of a view, of one thing of it, or of a filtered list. */
export const to = (
  view: View,
  id?: string | null,
  query: Readonly<Record<string, string | undefined>> = {}
): string => {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined || value === "" ? [] : [[name, value]]
  )
  const search = new URLSearchParams(given).toString()
  const path = id === undefined || id === null ? view : `${view}/${encodeURIComponent(id)}`
  return `#/${path}${search === "" ? "" : `?${search}`}`
}

export const go = (target: string): void => {
  window.location.hash = target
}

/** The token that a link brought, which must stay neither in the address nor in the history. */
export const takeToken = (): string | undefined => {
  const [, token] = /^#token=([^&]+)$/.exec(window.location.hash) ?? []
  if (token === undefined) return undefined
  window.history.replaceState(null, "", `${window.location.pathname}#/`)
  hash.value = "#/"
  return decode(token)
}
