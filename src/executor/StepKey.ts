import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { createHash, createHmac, type Hash } from "node:crypto"
import * as EventLoopTurns from "../concurrency/EventLoopTurns.ts"
import * as SafeJson from "../domain/SafeJson.ts"

/** What a node is, as far as its results depend on it. */
export interface KeyedNode {
  readonly type: string
  readonly version: number
  /** As they took effect; secrets are Redacted. */
  readonly settings: Readonly<Record<string, unknown>>
}

/** The digest of a node. Secrets go in as digests that are keyed by their place, so that equal ones are not seen to be equal. */
export const ofNode = ({ settings, type, version }: KeyedNode): string =>
  of([
    "node",
    type,
    version,
    Object.fromEntries(
      Object.entries(settings).map(([name, value]) => [name, withoutSecrets(`${type}.${name}`, value)])
    )
  ])

/**
 * The digest of a value: SHA-256 over a form that no two different values share. The order of keys does not matter; absent and undefined
 * keys are the same.
 */
export const of = (value: unknown): string => {
  const digest = new Digest()
  digest.add(value)
  return digest.end()
}

/** The digest of a document's bytes; the event loop turns meanwhile. */
export const ofBytes = (bytes: Uint8Array): Effect.Effect<string> =>
  Effect.suspend(() => {
    const hash = createHash("sha256")
    const starts = Array.from({ length: Math.ceil(bytes.byteLength / slice) }, (_, index) => index * slice)
    return Effect.map(
      EventLoopTurns.each(starts, (start) => void hash.update(bytes.subarray(start, start + slice))),
      () => hash.digest("hex")
    )
  })

const slice = 1024 * 1024

const withoutSecrets = (place: string, value: unknown): unknown =>
  Redacted.isRedacted(value)
    ? {
        secret: createHmac("sha256", `contentflow-worker ${place}`)
          .update(String(Redacted.value(value)))
          .digest("hex")
      }
    : value

class Digest {
  readonly #hash: Hash = createHash("sha256")
  /** Many small updates are slow. */
  #waiting = ""

  add(value: unknown): void {
    switch (typeof value) {
      case "string":
        // UTF-8 knows no half of a pair.
        return /\p{Surrogate}/u.test(value) ? this.#text("j", JSON.stringify(value)) : this.#text("s", value)
      case "number":
        return this.#write(`d${Object.is(value, -0) ? "0" : String(value)};`)
      case "bigint":
        return this.#write(`d${value};`)
      case "boolean":
        return this.#write(value ? "t" : "f")
      case "undefined":
        return this.#write("n")
      case "object":
        return value === null ? this.#write("n") : this.#object(value)
      default:
        return this.#text("o", String(value))
    }
  }

  end(): string {
    this.#flush()
    return this.#hash.digest("hex")
  }

  #object(value: object): void {
    if (Array.isArray(value)) {
      this.#write(`[${value.length};`)
      for (const each of value) this.add(each)
      return
    }
    const bytes = bytesOf(value)
    if (bytes !== undefined) return this.#write(`b${createHash("sha256").update(bytes).digest("hex")}`)
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype !== Object.prototype && prototype !== null) {
      const json: unknown = SafeJson.toExactJson(value)
      if (json === value) return this.#text("o", JSON.stringify(json))
      this.#write("c")
      return this.add(json)
    }
    const fields = value as Readonly<Record<string, unknown>>
    const keys = Object.keys(fields).filter((key) => fields[key] !== undefined)
    this.#write(`{${keys.length};`)
    for (const key of keys.sort()) {
      this.add(key)
      this.add(fields[key])
    }
  }

  #text(kind: string, text: string): void {
    this.#write(`${kind}${text.length};`)
    if (text.length < 1_000) return this.#write(text)
    this.#flush()
    this.#hash.update(text)
  }

  #write(text: string): void {
    this.#waiting += text
    if (this.#waiting.length > 16_384) this.#flush()
  }

  #flush(): void {
    this.#hash.update(this.#waiting)
    this.#waiting = ""
  }
}

const bytesOf = (value: object): Uint8Array | undefined =>
  value instanceof Uint8Array
    ? value
    : value instanceof ArrayBuffer
      ? new Uint8Array(value)
      : ArrayBuffer.isView(value)
        ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
        : undefined
