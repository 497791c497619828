import { assert } from "@effect/vitest"
import * as ModelServer from "../../support/ModelServer.ts"
import type { Case, ModelType, Seen } from "./ModelCases.ts"

type Cases = Readonly<Record<string, ReadonlyArray<Case>>>

export const succeeded = ({ error }: Seen): void => assert.strictEqual(error, "")

const paths = (seen: Seen) => seen.questions.map(({ path }) => path)
const headers = (seen: Seen) => seen.questions[0]?.headers ?? {}

const busy = { status: 500, body: { error: { code: "server_error", message: "sorry", type: "error", param: "" } } }
/** Fails as often as is said, and then answers. */
const failing =
  (times: number, { reply }: ModelType): NonNullable<Case["reply"]> =>
  (question, place) =>
    place < times ? busy : reply(question)

/** A while in which requests of the same node can meet. */
const slowly =
  ({ reply }: ModelType): NonNullable<Case["reply"]> =>
  (question) =>
    new Promise((resolve) => {
      setTimeout(() => resolve(reply(question)), 60)
    })

/** Of each type that calls a deployment. `path` is that of its calls below `/openai/v1`. */
export const connection = (type: ModelType, path: string): Cases => ({
  endpoint: [
    {
      value: "https://contoso.openai.azure.com",
      expect: (seen) => assert.deepStrictEqual([seen.error, paths(seen)[0]], ["", `/openai/v1${path}`])
    },
    {
      value: "https://contoso.openai.azure.com/openai/v1/",
      expect: (seen) => assert.deepStrictEqual([seen.error, paths(seen)[0]], ["", `/openai/v1${path}`])
    },
    {
      value: "https://llm.test/v1",
      expect: (seen) => {
        succeeded(seen)
        assert.strictEqual(headers(seen)["authorization"], `Bearer ${ModelServer.key}`)
      }
    },
    {
      value: "https://<foundry-resource>.openai.azure.com/openai/v1/",
      expect: ({ error }) => assert.match(error, /The setting endpoint is still the placeholder "https:\/\/<foundry/)
    },
    { value: "http://contoso.test/", expect: ({ error }) => assert.match(error, /plain HTTP/) }
  ],
  deployment_name: [
    { value: "gpt", expect: (seen) => assert.strictEqual(seen.questions[0]?.deployment, "gpt") },
    {
      value: "gone",
      expect: ({ error }) => {
        assert.match(
          error,
          /Azure OpenAI at contoso\.openai\.azure\.com, deployment gone does not know.*deployment_name/
        )
      }
    },
    {
      value: "<deployment>",
      expect: ({ error }) => assert.match(error, /The setting deployment_name is still the placeholder/)
    },
    { value: "a/../b?c#d", expect: ({ error }) => assert.match(error, /The setting deployment_name must be/) }
  ],
  credential_type: [
    {
      value: "default_azure_credential",
      expect: (seen) => {
        succeeded(seen)
        assert.strictEqual(headers(seen)["authorization"], "Bearer token-1")
        assert.notProperty(headers(seen), "api-key")
      }
    },
    {
      value: "azure_key_credential",
      expect: (seen) => {
        succeeded(seen)
        assert.strictEqual(headers(seen)["api-key"], ModelServer.key)
        assert.notProperty(headers(seen), "authorization")
      }
    }
  ],
  api_key: [
    { value: ModelServer.key, expect: succeeded },
    {
      value: "another-key-that-is-wrong",
      expect: ({ error, questions }) => {
        assert.match(error, /the key in the setting api_key is wrong/)
        assert.notInclude(error, "another-key-that-is-wrong")
        assert.lengthOf(questions, 1)
      }
    },
    { value: " ", expect: ({ error }) => assert.match(error, /The setting api_key is required/) }
  ],
  max_retries: [
    {
      value: 0,
      reply: failing(1, type),
      expect: ({ error, questions }) => {
        assert.match(error, /can't answer at the moment \(500\)/)
        assert.lengthOf(questions, 1)
      }
    },
    {
      value: 2,
      with: { retry_backoff_seconds: 0 },
      reply: failing(2, type),
      expect: (seen) => {
        succeeded(seen)
        assert.lengthOf(seen.questions, 3)
      }
    }
  ],
  retry_backoff_seconds: [
    {
      value: 0.2,
      with: { max_retries: 1 },
      reply: failing(1, type),
      expect: (seen) => {
        succeeded(seen)
        assert.isAtLeast(seen.gaps[0] ?? 0, 150)
      }
    }
  ],
  retry_backoff_factor: [
    {
      value: 4,
      with: { max_retries: 2, retry_backoff_seconds: 0.05 },
      reply: failing(2, type),
      expect: (seen) => {
        succeeded(seen)
        assert.isAtLeast(seen.gaps[1] ?? 0, 150)
      }
    }
  ],
  tokens_per_minute: [
    { value: null, expect: succeeded },
    {
      // A call counts for its instructions, its text and the 400 tokens of its answer or more.
      value: 200_000,
      items: [type.data, type.data],
      expect: (seen) => {
        succeeded(seen)
        assert.isAtLeast(seen.gaps.at(-1) ?? 0, 60)
      }
    }
  ],
  requests_per_minute: [
    { value: null, expect: succeeded },
    {
      value: 100,
      items: [type.data, type.data],
      expect: (seen) => {
        succeeded(seen)
        // 600 ms; a busy machine may be late with the first.
        for (const gap of seen.gaps) assert.isAtLeast(gap, 200)
      }
    }
  ]
})

/** Of each type that asks a model that writes. */
export const language = (type: ModelType): Cases => ({
  api: [
    {
      value: "auto",
      expect: (seen) => assert.deepStrictEqual([seen.error, paths(seen)[0]], ["", "/openai/v1/responses"])
    },
    {
      value: "responses",
      with: { endpoint: "https://llm.test/v1" },
      expect: (seen) => assert.deepStrictEqual([seen.error, paths(seen)[0]], ["", "/openai/v1/responses"])
    },
    {
      value: "chat_completions",
      expect: (seen) => assert.deepStrictEqual([seen.error, paths(seen)[0]], ["", "/openai/v1/chat/completions"])
    },
    {
      value: "auto",
      with: { endpoint: "https://llm.test/v1" },
      expect: (seen) => assert.deepStrictEqual([seen.error, paths(seen)[0]], ["", "/openai/v1/chat/completions"])
    }
  ],
  api_version: [
    { value: null, expect: (seen) => assert.strictEqual(paths(seen)[0], "/openai/v1/responses") },
    { value: "v1", expect: (seen) => assert.strictEqual(paths(seen)[0], "/openai/v1/responses") },
    {
      value: "2024-10-21",
      expect: (seen) => {
        succeeded(seen)
        assert.strictEqual(paths(seen)[0], "/openai/deployments/gpt/chat/completions")
        assert.strictEqual(seen.questions[0]?.query.get("api-version"), "2024-10-21")
      }
    },
    { value: "a/b", expect: ({ error }) => assert.match(error, /The setting api_version must/) }
  ],
  temperature: [
    ...[0, 2].map((value) => ({
      value,
      expect: (seen: Seen) => assert.strictEqual(seen.questions[0]?.body["temperature"], value)
    })),
    {
      value: 0.5,
      // Reasoning models take none.
      reply: (question, _place) =>
        "temperature" in question.body
          ? ModelServer.error(400, "unsupported_parameter", "Unsupported parameter: 'temperature' is not supported.")
          : type.reply(question),
      expect: (seen) => {
        succeeded(seen)
        assert.notProperty(seen.questions.at(-1)?.body, "temperature")
      }
    }
  ],
  max_tokens: [
    { value: 77, expect: (seen) => assert.strictEqual(seen.questions[0]?.body["max_output_tokens"], 77) },
    {
      value: 20,
      reply: (question) => (Number(question.body["max_output_tokens"]) < 80 ? { cut: '{"half' } : type.reply(question)),
      expect: (seen) => {
        succeeded(seen)
        assert.strictEqual(seen.questions[1]?.body["max_output_tokens"], 80)
      }
    },
    {
      value: 20,
      reply: () => ({ cut: "half" }),
      expect: ({ data, error }) => {
        assert.match(error, /before it was whole: raise the setting max_tokens/)
        assert.deepStrictEqual(data, {})
      }
    }
  ]
})

/** Of each type that works item by item. */
export const perItem = (type: ModelType): Cases => ({
  max_concurrent: [
    {
      value: 1,
      items: [type.data, type.data, type.data],
      reply: slowly(type),
      expect: (seen) => {
        succeeded(seen)
        assert.strictEqual(seen.most, 1)
      }
    },
    {
      value: 3,
      items: [type.data, type.data, type.data],
      reply: slowly(type),
      expect: (seen) => {
        succeeded(seen)
        assert.isAbove(seen.most, 1)
      }
    }
  ],
  timeout_secs: [
    {
      value: 1,
      reply: () => null,
      expect: ({ error }) => assert.match(error, /longer than 1 s|did not answer within 1 s/)
    }
  ],
  continue_on_error: [true, false].map((value) => ({
    value,
    with: { max_concurrent: 1 },
    items: [type.data, type.data, type.data],
    reply: (question: ModelServer.Question, place: number) =>
      place === 0 ? ModelServer.error(400, "content_filter", "The prompt was filtered.") : type.reply(question),
    expect: ({ error, questions }: Seen) => {
      assert.match(error, /refuses the text by its content filter/)
      if (value) assert.isAtLeast(questions.length, 3)
      else assert.lengthOf(questions, 1)
    }
  }))
})

/** Of each type that asks about the texts of an item. */
export const text = (type: ModelType): Cases => {
  const { key, value } = type.output
  const words = String(type.data["text"])
  return {
    ...connection(type, "/responses"),
    ...language(type),
    ...perItem(type),
    input_field: [
      { value: "text", expect: (seen) => assert.deepStrictEqual(seen.data[key], value) },
      {
        value: "body.text",
        items: [{ body: { text: words } }],
        expect: (seen) => assert.deepStrictEqual(seen.data[key], value)
      },
      {
        value: "chunks[].text",
        items: [{ chunks: [{ text: words }, { text: " " }, { text: words }] }],
        expect: (seen) => {
          succeeded(seen)
          const chunks = seen.data["chunks"] as ReadonlyArray<Readonly<Record<string, unknown>>>
          assert.deepStrictEqual(
            chunks.map((chunk) => chunk[key]),
            [value, null, value]
          )
          assert.lengthOf(seen.questions, 2)
        }
      },
      { value: "gone", expect: ({ error }) => assert.match(error, /data\.gone is missing.*input_field: gone/) }
    ],
    output_field: [
      {
        value: "somewhere",
        expect: ({ data }) => {
          assert.deepStrictEqual(data["somewhere"], value)
          assert.notProperty(data, key)
        }
      },
      {
        value: "chunks[].found",
        with: { input_field: "chunks[].text" },
        items: [{ chunks: [{ text: words }] }],
        expect: ({ data, error }) => {
          assert.strictEqual(error, "")
          assert.deepStrictEqual((data["chunks"] as ReadonlyArray<Record<string, unknown>>)[0]?.["found"], value)
        }
      },
      { value: "other[].found", expect: ({ error }) => assert.match(error, /The setting output_field must be/) }
    ],
    include_full_response: [
      {
        value: true,
        expect: (seen) => {
          succeeded(seen)
          assert.property(seen.data[`${key}_agent_full_response`] as object, "id")
        }
      },
      { value: false, expect: ({ data }) => assert.notProperty(data, `${key}_agent_full_response`) }
    ],
    max_calls: [
      { value: 1, expect: succeeded },
      {
        value: 1,
        with: { input_field: "chunks[].text" },
        items: [{ chunks: [{ text: words }, { text: words }] }],
        expect: ({ error, questions }) => {
          assert.match(error, /needs at least 2 calls.*max_calls/)
          assert.lengthOf(questions, 0)
        }
      }
    ]
  }
}

/** A text of this many words that differ. */
export const words = (count: number): string => Array.from({ length: count }, (_, index) => `word${index}`).join(" ")

/** Longer texts than `max_input_tokens` are worked on in parts. */
export const parted: ReadonlyArray<Case> = [
  {
    value: 100,
    items: [{ text: words(150) }],
    expect: (seen) => {
      succeeded(seen)
      assert.isAbove(seen.questions.length, 2)
      const longest = Math.max(...seen.questions.map(({ document }) => Buffer.byteLength(document)))
      assert.isAtMost(longest, 400)
    }
  }
]
