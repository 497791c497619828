import { createHash } from "node:crypto"
import { deflateSync } from "node:zlib"

/** A small PDF writer for tests: pages are given as content operators, and `text` makes the common ones. */
export interface Pdf {
  readonly pages: ReadonlyArray<PdfPage>
  readonly info?: Readonly<Record<string, string>>
  /** Titles and page indexes from 0. */
  readonly outline?: ReadonlyArray<readonly [title: string, page: number]>
  /** What the codes of the font `/F2` mean, as UTF-16 in hexadecimal: `{ A: "006600660069" }`. */
  readonly meanings?: Readonly<Record<string, string>>
  /** Image dictionaries (without length) and their bytes, known to all pages as `/Im0`, `/Im1`, … */
  readonly images?: ReadonlyArray<readonly [dictionary: string, bytes: Uint8Array]>
  /** More fonts of all pages, by name: their dictionaries. */
  readonly fonts?: Readonly<Record<string, string>>
  /** Further objects: dictionaries, or streams with the entries of theirs. Everywhere in this file `@name` is a reference to one. */
  readonly objects?: Readonly<Record<string, string | readonly [entries: string, stream: string | Uint8Array]>>
  /** Streams of `objects` that pages draw by name: `{ Fm0: "stamp" }`. */
  readonly drawings?: Readonly<Record<string, string>>
  /** More entries of the resources of all pages, of the catalog, and of the form's dictionary. */
  readonly resources?: string
  readonly catalog?: string
  readonly form?: string
  /** 40 bit RC4; without a password anybody opens it. */
  readonly encrypt?: { readonly password: string }
  /** Objects that are no streams lie in one, and the table is a stream, too. */
  readonly packed?: boolean
}

export interface PdfPage {
  readonly content: string
  readonly width?: number
  readonly height?: number
  /** More entries of the page's dictionary: `/Rotate 90`. */
  readonly entries?: string
  /** Dictionaries of annotations; those of fields (`/FT`) become part of the form. */
  readonly annotations?: ReadonlyArray<string>
}

export const text = (x: number, y: number, words: string, size = 12, font = "F1"): string =>
  `BT /${font} ${size} Tf ${x} ${y} Td (${escape(words)}) Tj ET\n`

/** Stroked lines around and between the cells of a grid whose edges are given. */
export const grid = (xs: ReadonlyArray<number>, ys: ReadonlyArray<number>): string =>
  [
    ...xs.map((x) => `${x} ${Math.min(...ys)} m ${x} ${Math.max(...ys)} l S`),
    ...ys.map((y) => `${Math.min(...xs)} ${y} m ${Math.max(...xs)} ${y} l S`)
  ].join("\n") + "\n"

export const writePdf = (pdf: Pdf): Uint8Array<ArrayBuffer> => {
  const writer = new Writer(pdf.encrypt?.password)
  const [catalog, tree] = [writer.reserve(), writer.reserve()]
  const numbers = new Map(Object.keys(pdf.objects ?? {}).map((name) => [name, writer.reserve()]))
  const resolved = (words: string): string =>
    words.replace(/@(\w+)/g, (reference, name: string) => {
      const number = numbers.get(name)
      return number === undefined ? reference : `${number} 0 R`
    })
  for (const [name, object] of Object.entries(pdf.objects ?? {})) {
    const number = numbers.get(name) ?? 0
    if (typeof object === "string") writer.put(number, resolved(object))
    else writer.putStream(number, resolved(object[0]), Buffer.from(object[1] as string, "latin1"))
  }

  const font = writer.add("<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>")
  const meanings = writer.stream("", Buffer.from(toUnicode(pdf.meanings ?? {})))
  const mapped = writer.add(`<</Type/Font/Subtype/Type1/BaseFont/Helvetica/ToUnicode ${meanings} 0 R>>`)
  const fonts = Object.entries(pdf.fonts ?? {}).map(([name, font]) => `/${name} ${writer.add(resolved(font))} 0 R`)
  const drawings = [
    ...(pdf.images ?? []).map(([entries, bytes], index) => {
      return `/Im${index} ${writer.stream(`/Type/XObject/Subtype/Image${entries}`, bytes)} 0 R`
    }),
    ...Object.entries(pdf.drawings ?? {}).map(([name, object]) => `/${name} ${resolved(`@${object}`)}`)
  ]
  const resources =
    `<</Font<</F1 ${font} 0 R/F2 ${mapped} 0 R${fonts.join("")}>>/XObject<<${drawings.join("")}>>` +
    `${resolved(pdf.resources ?? "")}>>`

  const fields: Array<number> = []
  const pages = pdf.pages.map((page) => {
    const content = writer.stream("", Buffer.from(page.content, "latin1"))
    const annotations = (page.annotations ?? []).map((annotation) => {
      const number = writer.add(`<</Type/Annot${resolved(annotation)}>>`)
      if (annotation.includes("/FT")) fields.push(number)
      return `${number} 0 R`
    })
    return writer.add(
      `<</Type/Page/Parent ${tree} 0 R/MediaBox[0 0 ${page.width ?? 612} ${page.height ?? 792}]/Resources ${resources}` +
        `/Contents ${content} 0 R/Annots[${annotations.join(" ")}]${resolved(page.entries ?? "")}>>`
    )
  })
  writer.put(tree, `<</Type/Pages/Kids[${pages.map((page) => `${page} 0 R`).join(" ")}]/Count ${pages.length}>>`)
  const outline = pdf.outline === undefined ? "" : `/Outlines ${writeOutline(writer, pdf.outline, pages)} 0 R`
  const form =
    fields.length === 0 && pdf.form === undefined
      ? ""
      : `/AcroForm<</Fields[${fields.map((field) => `${field} 0 R`).join(" ")}]${resolved(pdf.form ?? "")}>>`
  writer.put(catalog, `<</Type/Catalog/Pages ${tree} 0 R${outline}${form}${resolved(pdf.catalog ?? "")}>>`)
  const info = Object.entries(pdf.info ?? {}).map(([key, value]) => `/${key}(${escape(value)})`)
  const information = info.length === 0 ? "" : `/Info ${writer.add(`<<${info.join("")}>>`)} 0 R`
  return pdf.packed === true ? writer.finishPacked(catalog, information) : writer.finish(catalog, information)
}

const escape = (words: string): string => words.replace(/[\\()]/g, "\\$&")

const toUnicode = (meanings: Readonly<Record<string, string>>): string => {
  const lines = Object.entries(meanings).map(([code, units]) => `<${code.charCodeAt(0).toString(16)}> <${units}>`)
  return `/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /Test def
1 begincodespacerange <00> <ff> endcodespacerange
${lines.length} beginbfchar
${lines.join("\n")}
endbfchar endcmap end end`
}

const writeOutline = (
  writer: Writer,
  entries: ReadonlyArray<readonly [title: string, page: number]>,
  pages: ReadonlyArray<number>
): number => {
  const root = writer.reserve()
  const numbers = entries.map(() => writer.reserve())
  entries.forEach(([title, page], index) => {
    const next = numbers[index + 1]
    const link = next === undefined ? "" : `/Next ${next} 0 R`
    writer.put(
      numbers[index] ?? 0,
      `<</Title(${escape(title)})/Parent ${root} 0 R${link}/Dest[${pages[page]} 0 R/Fit]>>`
    )
  })
  writer.put(root, `<</First ${numbers[0]} 0 R/Last ${numbers.at(-1)} 0 R/Count ${numbers.length}>>`)
  return root
}

class Writer {
  readonly #objects: Array<Buffer> = []
  readonly #key: Buffer | undefined
  readonly #owner: Buffer
  readonly #id = Buffer.from("0123456789abcdef")

  constructor(password: string | undefined) {
    const padded = pad(password ?? "")
    this.#owner = rc4(md5(padded).subarray(0, 5), padded)
    const rights = Buffer.from([0xfc, 0xff, 0xff, 0xff])
    this.#key = password === undefined ? undefined : md5(padded, this.#owner, rights, this.#id).subarray(0, 5)
  }

  reserve(): number {
    return this.#objects.push(Buffer.alloc(0))
  }

  put(number: number, body: string | Buffer): void {
    this.#objects[number - 1] = Buffer.from(body as string, "latin1")
  }

  add(body: string): number {
    const number = this.reserve()
    this.put(number, body)
    return number
  }

  stream(entries: string, bytes: Uint8Array): number {
    const number = this.reserve()
    this.putStream(number, entries, bytes)
    return number
  }

  putStream(number: number, entries: string, bytes: Uint8Array): void {
    const stored = this.#key === undefined ? bytes : rc4(md5(this.#key, objectSalt(number)).subarray(0, 10), bytes)
    const head = Buffer.from(`<<${entries}/Length ${stored.length}>>\nstream\n`)
    this.#objects[number - 1] = Buffer.concat([head, stored, Buffer.from("\nendstream")])
  }

  finish(catalog: number, info: string): Uint8Array<ArrayBuffer> {
    const encrypt = this.#key === undefined ? "" : this.#encryption(this.#key)
    const parts = [Buffer.from("%PDF-1.4\n")]
    const offsets: Array<number> = []
    let offset = parts[0]?.length ?? 0
    this.#objects.forEach((body, index) => {
      const part = Buffer.concat([Buffer.from(`${index + 1} 0 obj\n`), body, Buffer.from("\nendobj\n")])
      offsets.push(offset)
      offset += part.length
      parts.push(part)
    })
    const entries = offsets.map((at) => `${String(at).padStart(10, "0")} 00000 n \n`).join("")
    const id = this.#id.toString("hex")
    parts.push(
      Buffer.from(
        `xref\n0 ${offsets.length + 1}\n0000000000 65535 f \n${entries}trailer\n` +
          `<</Size ${offsets.length + 1}/Root ${catalog} 0 R${info}${encrypt}/ID[<${id}><${id}>]>>\nstartxref\n${offset}\n%%EOF\n`
      )
    )
    return new Uint8Array(Buffer.concat(parts))
  }

  finishPacked(catalog: number, info: string): Uint8Array<ArrayBuffer> {
    const streams = this.#objects.map((body) => body.includes("endstream"))
    const packed = this.#objects.flatMap((body, index) =>
      streams[index] === true ? [] : [{ number: index + 1, body }]
    )
    const [places, bodies] = [[] as Array<string>, [] as Array<string>]
    for (const { number, body } of packed) {
      places.push(`${number} ${bodies.join(" ").length + (bodies.length === 0 ? 0 : 1)}`)
      bodies.push(body.toString("latin1"))
    }
    const head = `${places.join(" ")} `
    const holder = this.stream(
      `/Type/ObjStm/N ${packed.length}/First ${head.length}/Filter/FlateDecode`,
      deflateSync(Buffer.from(head + bodies.join(" "), "latin1"))
    )
    const parts = [Buffer.from("%PDF-1.5\n")]
    const rows = [Buffer.from([0, 0, 0, 0, 0, 255])]
    let offset = parts[0]?.length ?? 0
    this.#objects.forEach((body, index) => {
      const place = packed.findIndex(({ number }) => number === index + 1)
      const row = Buffer.alloc(6)
      row[0] = place < 0 ? 1 : 2
      row.writeUInt32BE(place < 0 ? offset : holder, 1)
      row[5] = Math.max(place, 0)
      rows.push(row)
      if (place >= 0) return
      const part = Buffer.concat([Buffer.from(`${index + 1} 0 obj\n`), body, Buffer.from("\nendobj\n")])
      offset += part.length
      parts.push(part)
    })
    const table = Buffer.concat([...rows, Buffer.from([1, 0, 0, 0, 0, 0])])
    table.writeUInt32BE(offset, table.length - 5)
    const own = `/Type/XRef/W[1 4 1]/Size ${rows.length + 1}/Root ${catalog} 0 R${info}`
    parts.push(
      Buffer.from(`${rows.length} 0 obj\n<<${own}/Length ${table.length}>>\nstream\n`),
      table,
      Buffer.from(`\nendstream\nendobj\nstartxref\n${offset}\n%%EOF\n`)
    )
    return new Uint8Array(Buffer.concat(parts))
  }

  #encryption(key: Buffer): string {
    const user = rc4(key, padding).toString("hex")
    return `/Encrypt<</Filter/Standard/V 1/R 2/O<${this.#owner.toString("hex")}>/U<${user}>/P -4>>`
  }
}

// PDF 32000 7.6.3.3, algorithm 2
const padding = Buffer.from("28bf4e5e4e758a4164004e56fffa01082e2e00b6d0683e802f0ca9fe6453697a", "hex")
const pad = (password: string): Buffer => Buffer.concat([Buffer.from(password, "latin1"), padding]).subarray(0, 32)
const objectSalt = (number: number): Buffer => Buffer.from([number & 255, (number >> 8) & 255, number >> 16, 0, 0])

const md5 = (...parts: ReadonlyArray<Uint8Array>): Buffer => createHash("md5").update(Buffer.concat(parts)).digest()

const rc4 = (key: Uint8Array, bytes: Uint8Array): Buffer => {
  const state = Uint8Array.from({ length: 256 }, (_, index) => index)
  const swap = (one: number, other: number) => {
    const kept = state[one] ?? 0
    state[one] = state[other] ?? 0
    state[other] = kept
  }
  for (let index = 0, other = 0; index < 256; index++) {
    other = (other + (state[index] ?? 0) + (key[index % key.length] ?? 0)) & 255
    swap(index, other)
  }
  let [one, other] = [0, 0]
  return Buffer.from(
    bytes.map((byte) => {
      one = (one + 1) & 255
      other = (other + (state[one] ?? 0)) & 255
      swap(one, other)
      return byte ^ (state[((state[one] ?? 0) + (state[other] ?? 0)) & 255] ?? 0)
    })
  )
}
