import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as CutText from "../text/CutText.ts"
import type { Catalog } from "../executor/Catalog.ts"
import type { Executor } from "../executor/Executor.ts"
import type { SettingInfo, SettingProblem } from "../executor/Settings.ts"
import * as KeyText from "../yaml/KeyText.ts"
import * as Yaml from "../yaml/Yaml.ts"
import type { YamlKey, YamlNode } from "../yaml/YamlNode.ts"
import * as CommonSettings from "./CommonSettings.ts"
import * as KnownKeys from "./KnownKeys.ts"
import * as NearestName from "../text/NearestName.ts"
import * as Problem from "./Problem.ts"

/**
 * What a definition says that nothing reads, or that means something else than it looks like. All of it runs, as it does in the original,
 * so these are warnings; a text that can't be read has none.
 */
export const review = (text: string, catalog: Catalog["Type"]): ReadonlyArray<Problem.Problem> =>
  Either.match(Yaml.parse(text), {
    onLeft: () => [],
    onRight: (document) => {
      const reviewer = new Reviewer(text, catalog)
      for (const { first, key } of document.duplicates) {
        reviewer.warn(
          key,
          [],
          `The key ${quoted(KeyText.pythonText(key))} is written twice, first in line ${first.line}; only this last one counts.`
        )
      }
      reviewer.file(document.value)
      return reviewer.problems.toSorted(Problem.byPlace)
    }
  })

/** Warnings reported for one definition at most. */
const mostWarnings = 200

/** Deeper steps are refused when they are compiled. */
const mostLevels = 20

interface Place {
  readonly line: number
  readonly column: number
}

type Entries = ReadonlyMap<string, { readonly key: YamlKey; readonly value: YamlNode }>

class Reviewer {
  readonly problems: Array<Problem.Problem> = []
  private readonly text: string
  private readonly catalog: Catalog["Type"]
  private lines: ReadonlyArray<string> | undefined

  constructor(text: string, catalog: Catalog["Type"]) {
    this.text = text
    this.catalog = catalog
  }

  warn(place: Place, path: Problem.Path, message: string): void {
    if (this.problems.length < mostWarnings) this.problems.push(Problem.at(() => place, path, "warning", message))
  }

  file(node: YamlNode): void {
    const entries = entriesOf(node)
    const wrapped = entries.has("pipeline") || entries.has("pipelines")
    if (!wrapped) return this.definition(node, [])
    this.keys(entries, [], "a file with pipelines", KnownKeys.file)
    const pipeline = entries.get("pipeline")?.value
    if (pipeline !== undefined) this.definition(pipeline, ["pipeline"])
    for (const [index, each] of itemsOf(entries.get("pipelines")?.value)) this.definition(each, ["pipelines", index])
  }

  private definition(node: YamlNode, path: Problem.Path): void {
    const entries = entriesOf(node)
    this.keys(entries, path, "a pipeline", KnownKeys.definition)
    for (const [index, each] of itemsOf(entries.get("executors")?.value)) {
      this.executor(each, [...path, "executors", index])
    }
    for (const [index, each] of itemsOf(entries.get("edges")?.value)) this.edge(each, [...path, "edges", index])
  }

  private edge(node: YamlNode, path: Problem.Path): void {
    const entries = entriesOf(node)
    this.keys(entries, path, "an edge", KnownKeys.edge)
    this.condition(entries, path)
    const to = entries.get("to")?.value
    const targets = to?.kind === "map" ? [[null, to] as const] : itemsOf(to)
    for (const [index, target] of targets) {
      if (target.kind !== "map") continue
      const here = [...path, "to", ...(index === null ? [] : [index])]
      this.keys(entriesOf(target), here, "a target of an edge", KnownKeys.target)
      this.condition(entriesOf(target), here)
    }
  }

  /** One that is there but empty lets every item pass, which its author will not have meant. */
  private condition(entries: Entries, path: Problem.Path): void {
    const found = entries.get("condition")
    if (found === undefined) return
    const { key, value } = found
    if (value.kind === "null" || (value.kind === "str" && value.value.trim() === "")) {
      this.warn(key, [...path, "condition"], "The condition is empty, so every item takes this edge.")
    } else if (value.kind !== "str") {
      this.warn(
        value,
        [...path, "condition"],
        `The condition is ${nounOf(value)}; write a comparison such as data.n == 5.`
      )
    }
  }

  private executor(node: YamlNode, path: Problem.Path, level = 0): void {
    const entries = entriesOf(node)
    const type = entries.get("type")?.value
    const found = type?.kind === "str" ? Option.getOrUndefined(this.catalog.find(type.value)) : undefined
    const known = found === undefined ? undefined : { ...CommonSettings.infos(found), ...found.settings }
    for (const [name, { key }] of entries) {
      if (known !== undefined && !KnownKeys.executor.includes(name) && Object.hasOwn(known, name)) {
        this.warn(
          key,
          [...path, name],
          `Nothing reads the key ${quoted(name)} here; it is a setting, so it belongs below \`settings\`.`
        )
      } else this.key(name, key, path, "an executor", KnownKeys.executor)
    }
    const settings = entries.get("settings")?.value
    if (found === undefined || known === undefined || settings?.kind !== "map") return
    const inSettings = [...path, "settings"]
    const given = entriesOf(settings)
    this.keys(given, inSettings, `the settings of ${found.type}`, Object.keys(known), [])
    for (const [name, { value }] of given) {
      const info = Object.hasOwn(known, name) ? known[name] : undefined
      if (info !== undefined) this.setting(name, info, value, [...inSettings, name])
    }
    if (level === 0 && found.category !== "pipeline")
      this.warnAll(CommonSettings.advise(plainOf(settings)), settings, inSettings)
    this.advice(found, settings, inSettings, level)
  }

  private advice(executor: Executor<never>, settings: YamlNode, path: Problem.Path, level: number): void {
    const plain = plainOf(settings)
    this.warnAll(executor.advise(plain), settings, path)
    if (level >= mostLevels) return
    for (const inner of executor.inner?.(plain) ?? []) {
      const step = inner._tag === "Step" ? nodeAt(settings, inner.path) : undefined
      if (step !== undefined) this.executor(step, [...path, ...inner.path], level + 1)
    }
  }

  private warnAll(advice: ReadonlyArray<SettingProblem>, settings: YamlNode, path: Problem.Path): void {
    for (const { message, path: below } of advice) {
      this.warn(Yaml.locate({ value: settings, duplicates: [] }, below), [...path, ...below], message)
    }
  }

  // --- Settings ---

  private setting(name: string, info: SettingInfo, node: YamlNode, path: Problem.Path): void {
    switch (info.type) {
      case "string":
        if (node.kind !== "list") return this.textSetting(name, info, node, path)
        for (const [index, item] of node.items.entries()) this.textSetting(name, info, item, [...path, index])
        return
      case "integer":
      case "number":
        return this.numberSetting(name, node, path)
      case "boolean":
        if (node.kind === "str" && !booleanTexts.has(node.value.trim().toLowerCase())) {
          this.warn(node, path, `The setting ${name} counts as false: of texts only true, 1 and yes are true.`)
        }
    }
  }

  /** What YAML makes of a bare value may be another text than the one that is written. */
  private textSetting(name: string, info: SettingInfo, node: YamlNode, path: Problem.Path): void {
    if (node.kind === "str" || node.kind === "null" || "items" in node || node.kind === "map") return
    const written = this.writtenAt(node)
    const quotes = written === undefined ? "put it in quotes" : `put it in quotes: '${written}'`
    if (info.secret === true) {
      return this.warn(node, path, `The setting ${name} is ${nounOf(node)}, not a text; put it in quotes.`)
    }
    const taken = takenAs(node)
    if (written !== undefined && written !== taken) {
      return this.warn(
        node,
        path,
        `The setting ${name} is written ${written}, but that is ${nounOf(node)}, so it counts as ${quoted(taken)}; to mean the text, ${quotes}.`
      )
    }
    const isDate = node.kind === "date" || node.kind === "datetime"
    if (isDate && info.description.startsWith("ISO date")) return
    this.warn(node, path, `The setting ${name} takes a text, and this is ${nounOf(node)}; to be sure, ${quotes}.`)
  }

  private numberSetting(name: string, node: YamlNode, path: Problem.Path): void {
    if (node.kind !== "int" && node.kind !== "float") return
    const written = this.writtenAt(node)
    if (written === undefined || !/^[-+]?0\d|:/.test(written)) return
    const how = written.includes(":") ? "to the base of 60" : "as octal"
    if (String(node.value) === written) return
    this.warn(node, path, `The setting ${name} is written ${written}, which YAML reads ${how}: it is ${node.value}.`)
  }

  /** The bare value that starts at this place; undefined where a tag or an anchor stands before it. */
  private writtenAt({ column, line }: Place): string | undefined {
    this.lines ??= this.text.split(/\r\n|[\n\r\u0085\u2028\u2029]/)
    const rest = Array.from((this.lines[line - 1] ?? "").slice(0, 10_000))
      .slice(column - 1, column + 99)
      .join("")
    const written = /^[^,\]}#]*/.exec(rest)?.[0].trim() ?? ""
    return written === "" || /^[!&*"']/.test(written) ? undefined : written
  }

  // --- Keys ---

  private keys(
    entries: Entries,
    path: Problem.Path,
    what: string,
    known: ReadonlyArray<string>,
    notes: ReadonlyArray<string> = KnownKeys.notes
  ): void {
    for (const [name, { key }] of entries) this.key(name, key, path, what, known, notes)
  }

  private key(
    name: string,
    key: YamlKey,
    path: Problem.Path,
    what: string,
    known: ReadonlyArray<string>,
    notes: ReadonlyArray<string> = KnownKeys.notes
  ): void {
    if (
      this.problems.length >= mostWarnings ||
      known.includes(name) ||
      notes.includes(name) ||
      KnownKeys.privateKey.test(name)
    )
      return
    const nearest = NearestName.find(name, known) ?? NearestName.ofPart(name, known)
    const hint = nearest === undefined ? "" : ` Did you mean ${nearest}?`
    this.warn(key, [...path, name], `Nothing in ${what} reads the key ${quoted(name)}.${hint}`)
  }
}

const booleanTexts: ReadonlySet<string> = new Set(["", "true", "false", "1", "0", "yes", "no", "off", "none", "null"])

const entriesOf = (node: YamlNode): Entries =>
  new Map(node.kind === "map" ? node.entries.map(([key, value]) => [KeyText.pythonText(key), { key, value }]) : [])

const itemsOf = (node: YamlNode | undefined): Iterable<readonly [number, YamlNode]> =>
  node?.kind === "list" ? node.items.entries() : []

const nodeAt = (node: YamlNode, path: Problem.Path): YamlNode | undefined =>
  path.reduce<YamlNode | undefined>(
    (found, step) =>
      found?.kind === "list" && typeof step === "number"
        ? found.items[step]
        : found === undefined
          ? undefined
          : entriesOf(found).get(String(step))?.value,
    node
  )

/** The text that a setting makes of it. */
const takenAs = (node: YamlNode): string =>
  node.kind === "bool" ? (node.value ? "True" : "False") : String(Yaml.toPlain(node))

const nounOf = ({ kind }: YamlNode): string => nouns[kind]

const nouns: Readonly<Record<YamlNode["kind"], string>> = {
  null: "nothing",
  bool: "a boolean",
  int: "a number",
  float: "a number",
  str: "a text",
  binary: "binary data",
  date: "a date",
  datetime: "a time",
  list: "a list",
  tuple: "a pair",
  set: "a set",
  map: "a mapping"
}

const plainOf = (settings: YamlNode): Readonly<Record<string, unknown>> => {
  const plain = Yaml.toPlain(settings)
  return isMapping(plain) ? plain : {}
}

const isMapping = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const quoted = (text: string): string => JSON.stringify(CutText.cut(text, 100))
