import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Settings from "../../executor/Settings.ts"
import * as ModelSettings from "./model/ModelSettings.ts"
import * as Occurrences from "./model/Occurrences.ts"
import * as TextNode from "./model/TextNode.ts"

const settings = {
  ...ModelSettings.text({ outputField: "keywords", temperature: 0.2, maxTokens: 600 }),
  max_keywords: Settings.integer({ description: "Keywords at most.", default: 10, min: 1, max: 50 }),
  keyword_type: Settings.choice(["single_words", "phrases", "both"], {
    description: "Single words, phrases of 2 to 5 words, or both.",
    default: "both"
  }),
  include_score: Settings.boolean({ description: "Give each keyword with a score from 0 to 1.", default: true }),
  extract_topics: Settings.boolean({ description: "Add the 2 or 3 main topics.", default: false }),
  min_word_length: Settings.integer({ description: "Letters of a single word at least.", default: 3, min: 1, max: 10 }),
  ranking_method: Settings.choice(["relevance", "frequency", "importance"], {
    description: "What comes first: by the model's score, or, with frequency, by how often it stands in the text.",
    default: "relevance"
  }),
  context_aware: Settings.boolean({
    description: "Weigh words by what the document says with them, not by themselves.",
    default: true
  })
}

type Decoded = Settings.TypeOf<typeof settings>

/** `keyword_extractor`: number, kind, length and order are kept to here, whatever the model answers. */
export const executor = TextNode.define({
  type: "keyword_extractor",
  aliases: ["keyword_extractor_executor"],
  name: "Keyword Extractor",
  description: "Finds the keywords of each text, and its topics.",
  settings,
  work: (given) => {
    const schema = Schema.Struct({
      keywords: Schema.Array(Schema.Struct({ term: Schema.String, score: Schema.Number })),
      topics: Schema.Array(Schema.String)
    })
    const instructions = instructionsOf(given)
    return {
      settings: given,
      work: (asking, { text }) =>
        Effect.gen(function* () {
          const answers = yield* asking.parts(text, 100, (part) =>
            asking.json({ instructions, text: part.text }, { name: "keywords", schema })
          )
          const chosen = yield* ranked(
            given,
            text,
            answers.flatMap(({ keywords }) => keywords)
          )
          const topics = mostOften(answers.flatMap((answer) => answer.topics)).slice(0, 3)
          return {
            value: {
              keywords: given.include_score ? chosen : chosen.map(({ term }) => term),
              ...(given.extract_topics ? { topics } : {})
            }
          }
        })
    }
  }
})

interface Keyword {
  readonly term: string
  readonly score: number
}

const ranked = (given: Decoded, text: string, found: ReadonlyArray<Keyword>): Effect.Effect<ReadonlyArray<Keyword>> => {
  const byTerm = new Map<string, Keyword>()
  for (const { score, term: written } of found) {
    const term = written.trim().replaceAll(/\s+/g, " ")
    if (!fits(given, term)) continue
    const key = term.toLowerCase()
    const before = byTerm.get(key)
    const bounded = Math.min(1, Math.max(0, score))
    if (before === undefined || before.score < bounded) byTerm.set(key, { term: before?.term ?? term, score: bounded })
  }
  const terms = [...byTerm.values()].sort((a, b) => b.score - a.score)
  if (given.ranking_method !== "frequency") return Effect.succeed(terms.slice(0, given.max_keywords))
  return Effect.map(
    Occurrences.ofAll(
      text,
      terms.map(({ term }) => term)
    ),
    (places) =>
      terms
        .map((keyword) => ({ keyword, count: places.get(keyword.term)?.length ?? 0 }))
        .sort((a, b) => b.count - a.count)
        .map(({ keyword }) => keyword)
        .slice(0, given.max_keywords)
  )
}

const fits = ({ keyword_type, min_word_length }: Decoded, term: string): boolean => {
  if (term === "" || term.length > 200) return false
  const words = term.split(" ").length
  if (words === 1) return keyword_type !== "phrases" && [...term].length >= min_word_length
  return keyword_type !== "single_words" && words <= 5
}

/** The same topic of several parts counts more than one of a single part. */
const mostOften = (topics: ReadonlyArray<string>): ReadonlyArray<string> => {
  const counts = new Map<string, { readonly topic: string; count: number }>()
  for (const topic of topics) {
    const key = topic.trim().toLowerCase()
    if (key === "") continue
    const known = counts.get(key) ?? { topic: topic.trim(), count: 0 }
    known.count += 1
    counts.set(key, known)
  }
  return [...counts.values()].sort((a, b) => b.count - a.count).map(({ topic }) => topic)
}

const kinds = {
  single_words: "single words",
  phrases: "phrases of 2 to 5 words",
  both: "single words and phrases of 2 to 5 words"
}

const rankings = {
  relevance: "how well it says what the document is about",
  frequency: "how often it stands in the document",
  importance: "how important it is for the document's message"
}

const instructionsOf = (given: Decoded): string =>
  [
    `Find the ${given.max_keywords} best keywords of the document: ${kinds[given.keyword_type]}. Single words have at least ${given.min_word_length} letters.`,
    `Give each as it is written in the document, with a score from 0 to 1 for ${rankings[given.ranking_method]}.`,
    given.context_aware ? "Weigh each in its context: what the document says with it counts, not the word alone." : "",
    given.extract_topics ? "topics names the 2 or 3 main topics." : "topics is empty."
  ]
    .filter((line) => line !== "")
    .join("\n")
