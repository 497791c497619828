import * as Effect from "effect/Effect"
import * as Settings from "../../executor/Settings.ts"
import * as ModelSettings from "./model/ModelSettings.ts"
import * as TextNode from "./model/TextNode.ts"

const settings = {
  ...ModelSettings.text({ outputField: "agent_response", temperature: null, maxTokens: 400 }),
  instructions: Settings.string({
    description: "What the model is told to do with the text. It stands in the system message; the text never does.",
    required: true
  }),
  parse_response_as_json: Settings.boolean({
    description:
      "The answer is JSON, of whatever shape the instructions ask for. One that is not is asked for once more; then the item fails.",
    default: false
  })
}

const agent = TextNode.define({
  type: "azure_openai_agent",
  aliases: ["azure_openai_agent_executor", "custom_ai_prompt"],
  name: "Azure OpenAI Agent",
  description: "Sends each text to a model with instructions of your own, and keeps its answer as text or JSON.",
  settings,
  work: (given) => ({
    settings: given,
    work: (asking, { text }) => {
      const order = { instructions: given.instructions, text }
      return given.parse_response_as_json
        ? Effect.map(asking.anyJson(order), (value) => ({ value }))
        : Effect.map(asking.text(order), (value) => ({ value }))
    },
    takesWhole: true
  })
})

/**
 * `azure_openai_agent`, and what old definitions call `custom_ai_prompt`: that one's `system_prompt` and `user_prompt` are its instructions, and
 * `max_completion_tokens` its `max_tokens`.
 */
export const executor: typeof agent = {
  ...agent,
  prepare: (raw) => agent.prepare(translated(raw)),
  effective: (raw) => agent.effective(translated(raw))
}

const translated = (raw: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> => {
  const { instructions, max_completion_tokens, max_tokens, system_prompt, user_prompt } = raw
  const prompts = [system_prompt, user_prompt].filter((prompt) => typeof prompt === "string" && prompt.trim() !== "")
  return {
    ...raw,
    ...(isAbsent(instructions) && prompts.length > 0 ? { instructions: prompts.join("\n\n") } : {}),
    ...(isAbsent(max_tokens) && !isAbsent(max_completion_tokens) ? { max_tokens: max_completion_tokens } : {})
  }
}

const isAbsent = (value: unknown): boolean =>
  value === undefined || value === null || (typeof value === "string" && value.trim() === "")
