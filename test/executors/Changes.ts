import type { Content } from "../../src/domain/Content.ts"

/** What a node changed in an item's data: keys that went, and keys that are new or have another value. */
export interface Changes {
  readonly gone: ReadonlyArray<string>
  readonly changed: Readonly<Record<string, unknown>>
}

export const changes = (before: Content, after: Content | undefined): Changes => ({
  gone: Object.keys(before.data).filter((key) => !Object.hasOwn(after?.data ?? {}, key)),
  changed: Object.fromEntries(
    Object.entries(after?.data ?? {}).filter(
      ([key, value]) => JSON.stringify(before.data[key]) !== JSON.stringify(value)
    )
  )
})
