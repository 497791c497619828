import type { Difference, StepDifference } from "../../forecast/Difference.ts"
import type { Expense, Forecast, ForecastRemoval, ForecastStep } from "../../forecast/Forecast.ts"
import * as JsonReader from "../../domain/JsonReader.ts"
import { plain } from "../run/ProblemLine.ts"
import * as Listing from "./Listing.ts"

const digits = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 })
const money = new Intl.NumberFormat("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 4 })

const number = (count: number): string => digits.format(count)

const many = (count: number, word: string): string => `${number(count)} ${word}${count === 1 ? "" : "s"}`

/** `12.30 (40 calls, 51,000 tokens)`; money first where there is a price. */
const expense = ({ cost, usage }: Expense): string => {
  const sum = (...names: ReadonlyArray<string>): number =>
    usage.reduce((all, each) => all + names.reduce((part, name) => part + valueOf(each, name), 0), 0)
  const units = [
    [sum("calls"), "call"],
    [sum("input_tokens", "output_tokens"), "token"],
    [sum("pages"), "page"]
  ] as const
  const told = units.flatMap(([count, word]) => (count === 0 ? [] : [many(count, word)])).join(", ")
  if (cost === null) return told === "" ? "nothing" : told
  return told === "" ? money.format(cost) : `${money.format(cost)} (${told})`
}

const valueOf = (usage: unknown, name: string): number => {
  const value = JsonReader.isFields(usage) ? usage[name] : undefined
  return typeof value === "number" ? value : 0
}

const workOf = ({ cost, writes }: ForecastStep): string => (writes ? "writes" : cost)

const nameOf = ({ executor_id, inside }: Pick<ForecastStep, "executor_id" | "inside">): string =>
  inside === null ? executor_id : `  ${executor_id}`

const columns: ReadonlyArray<Listing.Column<ForecastStep>> = [
  ["NODE", nameOf],
  ["TYPE", ({ type }) => type],
  ["WORK", workOf],
  ["COMPUTED", ({ computed }) => number(computed)],
  ["KEPT", ({ kept }) => number(kept)],
  ["OPEN", ({ open }) => number(open)],
  ["COST", ({ expected }) => (expected === null ? null : expense(expected))]
]

const documentsOf = ({ documents: { done, listed, run, which } }: Forecast): string =>
  [
    ...(listed === null ? [] : [`${number(listed)} in the source`]),
    `${number(run)} would run${which === "all" ? " (all)" : ""}`,
    ...(done === 0 ? [] : [`${number(done)} ran already`])
  ].join(", ")

const sampleOf = ({ sample: { documents, failing, gone } }: Forecast): string => {
  const failed = failing.reduce((sum, each) => sum + each.documents, 0)
  return [
    `${many(documents, "document")} gone through`,
    ...(failed === 0 ? [] : [`${number(failed)} would fail`]),
    ...(gone === 0 ? [] : [`${number(gone)} gone meanwhile`])
  ].join(", ")
}

const removalOf = (removal: ForecastRemoval | null): string => {
  if (removal === null) return "nothing"
  const { documents, looked_up, of, outputs, waits } = removal
  if (documents === 0) return "nothing"
  const count = outputs.reduce((sum, each) => sum + each.outputs, 0)
  const counted = looked_up < documents ? ` of the first ${number(looked_up)}` : ""
  return `${many(count, "output")}${counted} of ${number(documents)} documents that are gone, of ${number(of)}${waits ? "; a person has to confirm it first" : ""}`
}

const costOf = ({ cost: { expected, most, runs, saved, unknown } }: Forecast): string => {
  const least = expense(expected)
  const greatest = expense(most)
  return [
    least === greatest ? least : `${least}, at most ${greatest}`,
    `by ${many(runs, "past run")}`,
    ...(saved.usage.length === 0 ? [] : [`kept results save ${expense(saved)}`]),
    ...(unknown.length === 0 ? [] : [`without ${unknown.map(plain).join(", ")}, of which no run tells`])
  ].join("; ")
}

const failuresOf = ({ sample: { failing } }: Forecast): ReadonlyArray<string> =>
  failing.map(
    ({ documents, error, example, executor_id }) =>
      `${plain(executor_id)}: ${many(documents, "document")} would fail, such as ${plain(example)}: ${plain(error)}`
  )

const notesOf = (notes: ReadonlyArray<string>): ReadonlyArray<string> => (notes.length === 0 ? [] : ["", ...notes])

/** For people: what would happen, and that nothing did. */
export const ofForecast = (forecast: Forecast): string =>
  [
    Listing.facts({
      Pipeline: `${forecast.pipeline_name} (${forecast.pipeline_id})`,
      Vault: forecast.vault_id,
      Documents: documentsOf(forecast),
      Sample: sampleOf(forecast),
      Removed: removalOf(forecast.removal),
      Cost: costOf(forecast)
    }),
    "",
    Listing.table(columns, forecast.steps),
    ...notesOf([...failuresOf(forecast), ...forecast.notes]),
    "",
    "Nothing was written."
  ].join("\n")

/** `12`, or `12 → 3` where it differs. */
const both = (one: string | undefined, other: string | undefined): string => {
  const before = one ?? "-"
  const after = other ?? "-"
  return before === after ? after : `${before} → ${after}`
}

const count =
  (of: (step: ForecastStep) => number) =>
  ({ after, before }: StepDifference): string =>
    both(before === null ? undefined : number(of(before)), after === null ? undefined : number(of(after)))

const differences: ReadonlyArray<Listing.Column<StepDifference>> = [
  ["NODE", nameOf],
  ["CHANGE", ({ change }) => change],
  ["TYPE", ({ after, before }) => both(before?.type ?? after?.type, after?.type ?? before?.type)],
  ["COMPUTED", count(({ computed }) => computed)],
  ["KEPT", count(({ kept }) => kept)],
  ["OPEN", count(({ open }) => open)]
]

/** The same of two versions: what is equal is told once. */
export const ofDifference = ({ after, before, steps }: Difference): string =>
  [
    Listing.facts({
      Pipeline: both(before.pipeline_name, after.pipeline_name),
      Vault: after.vault_id,
      Documents: both(documentsOf(before), documentsOf(after)),
      Sample: both(sampleOf(before), sampleOf(after)),
      Removed: both(removalOf(before.removal), removalOf(after.removal)),
      Cost: both(costOf(before), costOf(after))
    }),
    "",
    Listing.table(differences, steps),
    ...notesOf([...new Set([...failuresOf(after), ...before.notes, ...after.notes])]),
    "",
    "Nothing was written."
  ].join("\n")
