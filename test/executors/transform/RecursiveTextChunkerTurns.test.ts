import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { executor } from "../../../src/executors/transform/RecursiveTextChunker.ts"
import { item, run } from "../extract/Items.ts"

/** How often the event loop turns while a text is split. */
const turnsWhileSplitting = (text: string, settings: Readonly<Record<string, unknown>>) =>
  Effect.gen(function* () {
    let turns = 0
    let next = setImmediate(function turn() {
      turns++
      next = setImmediate(turn)
    })
    yield* Effect.ensuring(
      run(executor, settings, [item({ text })]),
      Effect.sync(() => clearImmediate(next))
    )
    return turns
  })

const length = 4 * 2 ** 20

describe("recursive_text_chunker on a large text", () => {
  const prose = "Some words of a sentence that ends here. ".repeat(length / 40)
  for (const [what, text, settings] of [
    ["prose", prose, {}],
    ["prose in exact slices", prose, { exact_slices: true }],
    ["prose in words", prose, { length_function: "words" }],
    ["blank lines alone", "\n".repeat(length), {}],
    ["blank lines alone in exact slices", "\n".repeat(length), { exact_slices: true }],
    ["separators alone that are not kept", "\n".repeat(length), { separators: ["\n"], keep_separator: false }]
  ] as const) {
    // a live clock, since under the clock of tests no time passes and nothing waits
    it.live(`lets the event loop turn: ${what}`, () =>
      Effect.map(turnsWhileSplitting(text, settings), (turns) => assert.isAtLeast(turns, 16))
    )
  }
})
