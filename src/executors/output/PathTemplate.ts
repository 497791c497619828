import * as Option from "effect/Option"
import type { Content } from "../../domain/Content.ts"
import { ofValue } from "../../python/PythonText.ts"
import { isObject, valueAt } from "../../executor/DottedPath.ts"
import * as IsoTime from "../../python/IsoTime.ts"

const FOLDER = "id.folder"

/** What placeholders of one item can name. */
export interface Source {
  readonly identifier: Readonly<Record<string, unknown>> | null
  readonly fields: Readonly<Record<string, unknown>>
  /** Where the document lies in its source, with a slash at the end; empty at the top. Null without an identifier. */
  readonly folder: string | null
}

/** The names that fields of an item's data and summary go by, without the clock's. */
export const fieldsOf = (item: Content): Source => {
  const identifier =
    item.id === null
      ? null
      : { unique_id: item.id.unique_id, canonical_id: item.id.canonical_id, filename: item.id.filename }
  return {
    identifier,
    folder: item.id === null ? null : folderOf(item.id),
    fields: {
      ...(item.id === null ? {} : { id: identifier, document_id: item.id.canonical_id || item.id.unique_id }),
      ...item.data,
      ...item.summary_data
    }
  }
}

/** A file of this machine is known by its path from the folder on. */
const folderOf = ({ canonical_id, container, path }: NonNullable<Content["id"]>): string => {
  const place = container === null || container === undefined ? canonical_id : (path ?? "")
  return /^\/|:\/\//.test(place) ? "" : place.slice(0, place.lastIndexOf("/") + 1)
}

/** All that a template may name: the item's fields, then the node and the moment, which go before fields of the same name. */
export const sourceOf = (
  item: Content,
  node: { readonly executorId: string; readonly pipelineName: string; readonly epochMillis: number }
): Source => {
  const { fields, folder, identifier } = fieldsOf(item)
  const [date = "", time = ""] = new Date(node.epochMillis).toISOString().split("T")
  const [year = "", month = "", day = ""] = date.split("-")
  const named: Record<string, unknown> = {
    pipeline_name: node.pipelineName,
    ...fields,
    timestamp: `${year}${month}${day}_${time.slice(0, 8).replaceAll(":", "")}`,
    year,
    month,
    day,
    date,
    executor_id: node.executorId
  }
  const created = "created_at" in named ? IsoTime.parse(ofValue(named["created_at"])) : Option.none()
  return {
    identifier,
    folder,
    fields: Option.match(created, {
      onNone: () => named,
      onSome: ({ day, month, year }) => ({ ...named, created_year: year, created_month: month, created_day: day })
    })
  }
}

/** The value behind a dotted name. `id.…` is the identifier's even where data has a key `id`. */
export const lookUp = ({ fields, folder, identifier }: Source, name: string): unknown => {
  if (name === FOLDER && folder !== null) return folder
  const [first, second, third] = name.split(".")
  const own =
    first === "id" && second !== undefined && third === undefined && identifier !== null
      ? valueAt(identifier, second)
      : undefined
  return own ?? valueAt(isObject(fields) ? fields : {}, name)
}

/**
 * The template with each `{name}` replaced by the text of its value, slashes by `_` (but for those of `id.folder`), and by `unknown` where there is none. As in the
 * original, one placeholder after another is replaced everywhere, so that a value which holds a later placeholder is filled in too.
 */
export const fill = (template: string, source: Source): string =>
  [...template.matchAll(/\{([^}]+)\}/g)].reduce((text, [placeholder, name = ""]) => {
    const value = lookUp(source, name)
    return text.replaceAll(placeholder, () => {
      if (value === undefined || value === null) return "unknown"
      // The one value that stands for folders.
      return name === FOLDER ? ofValue(value) : ofValue(value).replaceAll(/[/\\]/g, "_")
    })
  }, template)
