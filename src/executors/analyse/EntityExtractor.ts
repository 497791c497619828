import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Settings from "../../executor/Settings.ts"
import * as ModelSettings from "./model/ModelSettings.ts"
import * as Occurrences from "./model/Occurrences.ts"
import type { Part } from "./model/Parts.ts"
import * as TextNode from "./model/TextNode.ts"

const defaultTypes = "person,organization,location,date,money,email,phone,url,product,event,quantity,skill,ip-address"

const settings = {
  ...ModelSettings.text({ outputField: "entities", temperature: 0.1, maxTokens: 600 }),
  entity_types: Settings.list({
    description: "The kinds of entities to find: a list, or a text with commas.",
    default: defaultTypes.split(",")
  }),
  output_format: Settings.choice(["structured", "list", "text"], {
    description:
      "structured: a list for each kind. list: a text with one entity a line. text: a text with a sentence for each kind.",
    default: "structured"
  }),
  include_context: Settings.boolean({
    description: "With structured: each entity with what stands around its first place in the text.",
    default: false
  }),
  custom_entities: Settings.list({ description: "Further kinds of entities.", default: [] })
}

/** Characters that parts of a long text share, so that no entity is cut. */
const overlap = 200

/** Characters of context on each side. */
const contextLength = 60

/** `entity_extractor`: what the model names must occur in the text; it is listed once, in the order of the text. */
export const executor = TextNode.define({
  type: "entity_extractor",
  aliases: ["entity_extractor_executor", "entity_extraction_executor"],
  name: "Entity Extractor",
  description: "Finds people, organisations, places, dates and other entities that occur in each text.",
  settings,
  work: (given) => {
    const types = [...new Set([...given.entity_types, ...given.custom_entities])]
    const schema = Schema.Struct({
      entities: Schema.Array(Schema.Struct({ type: Schema.Literal(...types), text: Schema.String }))
    })
    const instructions = `Find the entities in the document. Kinds: ${types.join(", ")}. Give each entity once, exactly as it is written in the document, with its kind. Leave out what belongs to none of the kinds. Without entities the list is empty.`
    return {
      settings: given,
      work: (asking, { text }) =>
        Effect.map(
          asking.parts(text, overlap, (part) =>
            Effect.map(asking.json({ instructions, text: part.text }, { name: "entities", schema }), ({ entities }) =>
              located(part, entities)
            )
          ),
          (found) => ({ value: shown(given, types, text, once(found.flat())) })
        )
    }
  }
})

interface Entity {
  readonly type: string
  readonly text: string
  readonly start: number
}

/** What occurs in the part that the model was asked about, with its first place there. */
const located = (
  part: Part,
  found: ReadonlyArray<{ readonly type: string; readonly text: string }>
): ReadonlyArray<Entity> =>
  found.flatMap(({ text: value, type }) => {
    const first = Occurrences.first(part.text, value)
    return first === undefined
      ? []
      : [{ type, text: part.text.slice(first.start, first.end), start: part.start + first.start }]
  })

/** Each once, in the order of the text. */
const once = (entities: ReadonlyArray<Entity>): ReadonlyArray<Entity> => {
  const seen = new Map<string, Entity>()
  for (const entity of [...entities].sort((a, b) => a.start - b.start)) {
    const key = `${entity.type}\u0000${entity.text.toLowerCase()}`
    if (!seen.has(key)) seen.set(key, entity)
  }
  return [...seen.values()]
}

const shown = (
  given: { readonly include_context: boolean; readonly output_format: "structured" | "list" | "text" },
  types: ReadonlyArray<string>,
  text: string,
  entities: ReadonlyArray<Entity>
): unknown => {
  const byType = types.flatMap((type) => {
    const members = entities.filter((entity) => entity.type === type)
    return members.length === 0 ? [] : [[type, members] as const]
  })
  switch (given.output_format) {
    case "list":
      return entities.map((entity) => entity.text).join("\n")
    case "text":
      return byType.map(([type, members]) => `${type}: ${members.map((entity) => entity.text).join(", ")}.`).join("\n")
    case "structured":
      return Object.fromEntries(
        byType.map(([type, members]) => [
          type,
          given.include_context
            ? members.map((entity) => ({ text: entity.text, context: contextOf(text, entity) }))
            : members.map((entity) => entity.text)
        ])
      )
  }
}

const contextOf = (text: string, { start, text: value }: Entity): string =>
  text
    .slice(Math.max(0, start - contextLength), start + value.length + contextLength)
    .replaceAll(/\s+/g, " ")
    .trim()
