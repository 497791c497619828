import * as Effect from "effect/Effect"
import * as Settings from "../../executor/Settings.ts"
import type { CallError } from "../../services/CallError.ts"
import type { Asking } from "./model/Asking.ts"
import * as ModelSettings from "./model/ModelSettings.ts"
import * as TextNode from "./model/TextNode.ts"

const settings = {
  ...ModelSettings.text({ outputField: "summary", temperature: 0.3, maxTokens: 500 }),
  summary_length: Settings.choice(["brief", "short", "medium", "detailed"], {
    description: "brief: 1 or 2 sentences, short: 3 to 5, medium: a paragraph of 5 to 8, detailed: several paragraphs.",
    default: "short"
  }),
  summary_style: Settings.choice(["bullet_points", "paragraph", "abstract"], {
    description: "The form of the summary.",
    default: "paragraph"
  }),
  focus_areas: Settings.string({ description: "What to pay most attention to.", default: null }),
  preserve_key_facts: Settings.boolean({ description: "Keep facts, figures, names and dates.", default: true })
}

type Decoded = Settings.TypeOf<typeof settings>

/** `text_summarizer`: a text longer than `max_input_tokens` is summarised part by part, and the summaries again, until one is left. */
export const executor = TextNode.define({
  type: "text_summarizer",
  aliases: ["text_summarizer_executor", "summarization_executor"],
  name: "Text Summarizer",
  description: "Summarises each text in the length and style that you choose, of whatever length it is.",
  settings,
  work: (given) => {
    const whole = instructionsOf(given)
    return {
      settings: given,
      work: (asking, { text }) =>
        Effect.map(summary(asking, given, whole, text, 0), (value) => ({ value: value.trim() }))
    }
  }
})

/** Summaries of summaries become shorter each time; a model that writes more than it reads is stopped. */
const maxRounds = 6

const summary = (
  asking: Asking,
  given: Decoded,
  instructions: string,
  text: string,
  round: number
): Effect.Effect<string, CallError> =>
  Effect.suspend(() => {
    if (Buffer.byteLength(text) <= given.max_input_tokens * 4 || round >= maxRounds) {
      const again =
        round === 0
          ? instructions
          : `${instructions}\nThe document is a row of summaries of the parts of one longer document, in order. Summarise the longer document.`
      return asking.text({ instructions: again, text })
    }
    const part = `You are an expert summariser. Summarise this part of a longer document in at most 150 words, so that nothing of importance to the whole is lost.${factsOf(given)}${focusOf(given)} Write only the summary.`
    return Effect.flatMap(
      asking.parts(text, 0, (piece) => asking.text({ instructions: part, text: piece.text })),
      (summaries) => summary(asking, given, instructions, summaries.join("\n\n"), round + 1)
    )
  })

const lengths = {
  brief: "1 or 2 sentences",
  short: "3 to 5 sentences",
  medium: "one paragraph of 5 to 8 sentences",
  detailed: "several paragraphs"
}

const styles = {
  bullet_points: "as bullet points",
  paragraph: "as running text",
  abstract: "as the abstract of an academic paper"
}

const factsOf = ({ preserve_key_facts }: Decoded): string =>
  preserve_key_facts ? " Keep important facts, figures, names and dates." : ""

const focusOf = ({ focus_areas }: Decoded): string =>
  focus_areas === null ? "" : ` Pay most attention to: ${focus_areas}.`

const instructionsOf = (given: Decoded): string =>
  `You are an expert summariser. Summarise the document in ${lengths[given.summary_length]}, ${styles[given.summary_style]}.${factsOf(given)}${focusOf(given)} Stay objective, add nothing that the document does not say, and write only the summary.`
