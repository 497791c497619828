import * as Effect from "effect/Effect"
import * as EventLoopTurns from "../../../concurrency/EventLoopTurns.ts"

/** Where something stands in a text. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** Longer values are no quotations. */
const longest = 2_000

/** The first place where the value stands, as a word of its own where it is one anywhere. Models change blanks and letter case: both are forgiven. */
export const first = (text: string, value: string): Span | undefined => {
  const wanted = value.trim()
  if (wanted === "" || wanted.length > longest) return undefined
  return firstIn(text, wanted, exactly) ?? firstIn(text, wanted, loosely)
}

const firstIn = (
  text: string,
  wanted: string,
  places: (text: string, wanted: string) => Iterable<Span>
): Span | undefined => {
  let any: Span | undefined
  for (const span of places(text, wanted)) {
    if (standsAlone(text, span)) return span
    any ??= span
  }
  return any
}

function* exactly(text: string, wanted: string): Iterable<Span> {
  for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + wanted.length)) {
    yield { start: at, end: at + wanted.length }
  }
}

function* loosely(text: string, wanted: string): Iterable<Span> {
  const pattern = wanted
    .split(/\s+/)
    .map((word) => word.replaceAll(/[.*+?^${}()|[\]\\/-]/g, String.raw`\$&`))
    .join(String.raw`\s{1,20}`)
  for (const match of text.matchAll(new RegExp(pattern, "gi"))) {
    yield { start: match.index, end: match.index + match[0].length }
  }
}

/**
 * All places of each of these values, by the rules of {@link first}: one way through the text for all of them, in which the event loop turns, so
 * that many values in a long text take no longer than a few.
 */
export const ofAll = (
  text: string,
  values: Iterable<string>
): Effect.Effect<ReadonlyMap<string, ReadonlyArray<Span>>> =>
  Effect.gen(function* () {
    const wanted = new Set<string>()
    for (const value of values) {
      const trimmed = value.trim()
      if (trimmed !== "" && trimmed.length <= longest) wanted.add(trimmed)
    }
    const exact = yield* search(text, wanted)
    const rest = [...wanted].filter((value) => !exact.has(value))
    const found = new Map([...exact].map(([value, spans]) => [value, preferred(text, spans)] as const))
    if (rest.length === 0) return found
    const plain = yield* plainOf(text)
    const byPlain = new Map<string, Array<string>>()
    for (const value of rest) {
      const key = fold(value).replaceAll(/\s+/g, " ")
      byPlain.set(key, [...(byPlain.get(key) ?? []), value])
    }
    for (const [key, spans] of yield* search(plain.text, byPlain.keys())) {
      const real = spans.map(({ end, start }) => ({ start: plain.at(start), end: plain.at(end - 1) + 1 }))
      for (const value of byPlain.get(key) ?? []) found.set(value, preferred(text, real))
    }
    return found
  })

/** Characters between two turns of the event loop. */
const slice = 131_072

/** Where each of the values stands exactly; places of the same value do not overlap. */
const search = (text: string, values: Iterable<string>): Effect.Effect<Map<string, Array<Span>>> => {
  const automaton = new Automaton(values)
  const found = new Map<string, Array<Span>>()
  let state = 0
  const through = EventLoopTurns.each(slicesOf(text), (from) => {
    const to = Math.min(text.length, from + slice)
    for (let at = from; at < to; at++) {
      state = automaton.next(state, text.charCodeAt(at))
      for (let ending = state; ending > 0; ending = automaton.shorter(ending)) {
        const value = automaton.value(ending)
        if (value === undefined) continue
        const start = at + 1 - value.length
        const spans = found.get(value)
        if (spans === undefined) found.set(value, [{ start, end: at + 1 }])
        else if ((spans.at(-1)?.end ?? 0) <= start) spans.push({ start, end: at + 1 })
      }
    }
  })
  return Effect.as(through, found)
}

const slicesOf = (text: string): ReadonlyArray<number> =>
  Array.from({ length: Math.ceil(text.length / slice) }, (_, index) => index * slice)

/** Aho and Corasick's: reads a text once for any number of values. A state is what was read last, as far as a value begins so. */
class Automaton {
  private readonly edges = new Map<number, number>()
  private readonly values: Array<string | undefined> = [undefined]
  /** The longest proper end of a state that is a state. */
  private readonly ends: Array<number> = [0]
  /** The longest proper end of a state that is a value; 0 for none. */
  private readonly endsInValue: Array<number> = [0]

  constructor(values: Iterable<string>) {
    const children: Array<Array<readonly [code: number, state: number]>> = [[]]
    for (const value of values) {
      let state = 0
      for (let at = 0; at < value.length; at++) {
        const code = value.charCodeAt(at)
        const known = this.edges.get(state * 65_536 + code)
        if (known === undefined) {
          const made = this.values.push(undefined) - 1
          this.edges.set(state * 65_536 + code, made)
          children.push([])
          children[state]?.push([code, made])
          state = made
        } else state = known
      }
      this.values[state] = value
    }
    for (const states = (children[0] ?? []).map(([, state]) => state); states.length > 0;) {
      const level = states.splice(0)
      for (const state of level) {
        this.ends[state] ??= 0
        const end = this.ends[state] ?? 0
        this.endsInValue[state] = this.values[end] === undefined ? (this.endsInValue[end] ?? 0) : end
        for (const [code, child] of children[state] ?? []) {
          this.ends[child] = this.next(end, code)
          states.push(child)
        }
      }
    }
  }

  next(from: number, code: number): number {
    for (let state = from; ; state = this.ends[state] ?? 0) {
      const found = this.edges.get(state * 65_536 + code)
      if (found !== undefined) return found
      if (state === 0) return 0
    }
  }

  value(state: number): string | undefined {
    return this.values[state]
  }

  shorter(state: number): number {
    return this.endsInValue[state] ?? 0
  }
}

const preferred = (text: string, spans: ReadonlyArray<Span>): ReadonlyArray<Span> => {
  const words = spans.filter((span) => standsAlone(text, span))
  return words.length > 0 ? words : spans
}

/** The text in small letters and with single blanks, and where its characters stand in the original. */
const plainOf = (text: string): Effect.Effect<{ readonly text: string; readonly at: (index: number) => number }> => {
  const places = new Int32Array(text.length)
  const pieces: Array<string> = []
  let length = 0
  let blank = false
  const through = EventLoopTurns.each(slicesOf(text), (from) => {
    const piece = fold(text.slice(from, from + slice))
    let kept = ""
    let run = 0
    for (let at = 0; at < piece.length; at++) {
      const isBlank = /\s/.test(piece[at] ?? "")
      if (isBlank && blank) {
        kept += piece.slice(run, at)
        run = at + 1
      } else {
        if (isBlank && piece[at] !== " ") {
          kept += `${piece.slice(run, at)} `
          run = at + 1
        }
        places[length++] = from + at
      }
      blank = isBlank
    }
    pieces.push(kept + piece.slice(run))
  })
  return Effect.map(through, () => ({ text: pieces.join(""), at: (index: number) => places[index] ?? 0 }))
}

/** Small letters, as many as there were. */
const fold = (text: string): string => {
  const small = text.toLowerCase()
  return small.length === text.length
    ? small
    : Array.from(text, (character) => {
        const one = character.toLowerCase()
        return one.length === character.length ? one : character
      }).join("")
}

const isWord = (character: string | undefined): boolean => character !== undefined && /[\p{L}\p{N}_]/u.test(character)

const standsAlone = (text: string, { end, start }: Span): boolean =>
  !(isWord(text[start]) && isWord(text[start - 1])) && !(isWord(text[end - 1]) && isWord(text[end]))
