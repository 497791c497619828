import { makeWarnings, type Warnings } from "../Warnings.ts"
import { countCodePoints } from "../../python/CodePoints.ts"
import { guarded } from "../DocumentError.ts"
import { warnOfCarriedFiles } from "../drawing/CarriedFiles.ts"
import { embeddedText } from "../drawing/Embedded.ts"
import { makeImages } from "../drawing/Images.ts"
import * as Limits from "../Limits.ts"
import { child, parseXml, type XmlElement } from "../xml/XmlTree.ts"
import { documentProperties, readCoreProperties } from "../zip/CoreProperties.ts"
import { type OpcPackage, openPackage, optionalPart } from "../zip/OpcPackage.ts"
import { endedFields } from "./Fields.ts"
import { type Float, makeParagraphReader, type ParagraphContent, type ParagraphContext } from "./Paragraph.ts"
import { scanStory } from "./Story.ts"
import { listLevel, makeStyles, outlineLevel, type Styles, stylesChoice } from "./Styles.ts"
import { makeThemeFonts, type ThemeFont } from "./ThemeFonts.ts"
import { type BlockContext, inTextBox, lines as linesOf, readTable, unwrapped, waitingLines } from "./Table.ts"
import type {
  WordBlock,
  WordComment,
  WordDocument,
  WordImage,
  WordNote,
  WordOptions,
  WordParagraph,
  WordStory,
  WordTable
} from "./WordDocument.ts"

/** Reads a Word document (.docx, .docm, .dotx). Throws `DocumentError` and nothing else. */
export const readWord = (
  bytes: Uint8Array,
  options: WordOptions,
  limits: Limits.Limits = Limits.defaults
): WordDocument =>
  guarded("Word document", () => {
    const warnings = makeWarnings()
    const document = openPackage(bytes, "docx", limits, warnings)
    const budget = Limits.makeBudget(limits)
    const images = options.extract_images ? readImages(document, budget, warnings) : undefined
    const themeFont = makeThemeFonts(document, warnings)
    const context: DocumentContext = {
      document,
      themeFont,
      budget,
      options,
      warnings,
      styles: makeStyles(readStyles(document, warnings), themeFont),
      imageIndex: images?.indexByPart ?? new Map()
    }
    const body = readBody(context)
    const stories = makeStories(context)
    warnOfCarriedFiles(document, textParts(document), warnings)
    return {
      ...(options.extract_text && {
        text: body.paragraphs.map(({ text }) => text).join(options.paragraph_separator)
      }),
      ...(options.extract_paragraphs && { paragraphs: body.paragraphs }),
      ...(options.extract_tables && { tables: body.tables }),
      ...(options.extract_blocks && { blocks: body.blocks }),
      ...(options.extract_headers_footers && { headers: stories.texts("header"), footers: stories.texts("footer") }),
      ...(options.extract_notes && { footnotes: stories.notes("footnote"), endnotes: stories.notes("endnote") }),
      ...(options.extract_comments && { comments: stories.comments() }),
      ...(options.extract_properties && { properties: documentProperties(readCoreProperties(document, warnings)) }),
      ...(images !== undefined && { images: images.list }),
      warnings: warnings.list()
    }
  })

/** The parts that have text of the document, which files may lie in. */
const textParts = (document: OpcPackage): ReadonlyArray<string> => [
  document.mainPart,
  ...document
    .relationships(document.mainPart)
    .flatMap(({ kind, part }) => (part !== undefined && textKinds.has(kind) ? [part] : []))
]

const textKinds = new Set(["header", "footer", "footnotes", "endnotes", "comments"])

// --- Body ---

interface DocumentContext {
  readonly document: OpcPackage
  readonly budget: Limits.Budget
  readonly options: WordOptions
  readonly warnings: Warnings
  readonly styles: Styles
  readonly themeFont: ThemeFont
  readonly imageIndex: ReadonlyMap<string, number>
}

interface Body {
  readonly paragraphs: Array<WordParagraph>
  readonly tables: Array<WordTable>
  readonly blocks: Array<WordBlock>
}

const readBody = (context: DocumentContext): Body => {
  const { document, budget, options, styles, warnings } = context
  const story = makeBlockContext(context, document.mainPart)
  const body: Body = { paragraphs: [], tables: [], blocks: [] }
  let paragraphNumber = 0

  const addParagraph = (content: ParagraphContent | undefined, around: BlockContext): void => {
    if (content === undefined) return
    const { element, floats, text } = content
    if (options.include_empty_paragraphs || text.trim() !== "") {
      budget.spendText(text.length)
      addText(body, styles, element, paragraphNumber, text, around !== story)
    }
    for (const float of floats) addFloat(float, around)
  }
  const addBlock = (block: XmlElement, around: BlockContext): void => {
    if (block.name !== "w:tbl") {
      addParagraph(around.reader.read(block), around)
      return
    }
    addParagraph(around.reader.flush(), around)
    addTable(block, around)
  }
  const addTable = (element: XmlElement, around: BlockContext): void => {
    const { rows, columns, data, nested, text } = readTable(element, around)
    const table_number = body.tables.length + 1
    body.tables.push({
      table_number,
      rows,
      columns,
      data,
      ...(nested.length > 0 && { nested_tables: nested })
    })
    body.blocks.push({ type: "table", table_number, text })
  }
  const addFloat = (float: Float, around: BlockContext): void => {
    switch (float.type) {
      case "text_box": {
        const box = inTextBox(around)
        for (const block of unwrapped(float.blocks, "w:p", "w:tbl")) addBlock(block, box)
        addParagraph(box.reader.flush(), box)
        return
      }
      case "shape":
        if (float.text.trim() === "") return
        budget.spendText(float.text.length)
        addText(body, styles, undefined, paragraphNumber, float.text, true)
        return
      case "graphic": {
        const embedded = embeddedText(document, document.mainPart, float.data, warnings)
        if (embedded === undefined || embedded.text === "") return
        budget.spendText(embedded.text.length)
        body.blocks.push({ type: embedded.kind, text: embedded.text })
        return
      }
      case "image": {
        const part = document.related(document.mainPart, float.relationship)?.part
        const image_index = part === undefined ? undefined : context.imageIndex.get(part)
        if (image_index !== undefined) body.blocks.push({ type: "image", image_index })
      }
    }
  }

  scanStory(document.read(document.mainPart), document.mainPart, document.limits, {
    themeFont: context.themeFont,
    block: (block) => {
      if (block.name !== "w:tbl") paragraphNumber++
      addBlock(block, story)
    },
    enter: (name) => {
      if (name === "w:altChunk") {
        warnings.add(`The part ${document.mainPart} embeds a document of another format, which is not read`)
      }
    }
  })
  addParagraph(story.reader.flush(), story)
  return body
}

const addText = (
  body: Body,
  styles: Styles,
  paragraph: XmlElement | undefined,
  paragraph_number: number,
  text: string,
  inTextBox: boolean
): void => {
  const properties = child(paragraph, "w:pPr")
  const styleId = child(properties, "w:pStyle")?.attributes["w:val"]
  const style = styles.nameOf(styleId)
  const mark = inTextBox ? { text_box: true as const } : {}
  body.paragraphs.push({ paragraph_number, text, char_count: countCodePoints(text), style, ...mark })
  const heading_level = outlineLevel(properties) ?? styles.headingLevelOf(styleId)
  const list_level = child(properties, "w:numPr") === undefined ? styles.listLevelOf(styleId) : listLevel(properties)
  body.blocks.push({
    type: "paragraph",
    paragraph_number,
    text,
    style,
    ...(heading_level !== undefined && { heading_level }),
    ...(list_level !== undefined && heading_level === undefined && { list_level }),
    ...mark
  })
}

const makeBlockContext = ({ budget, document, styles, warnings }: DocumentContext, part: string): BlockContext => {
  let ended: ReadonlySet<number> | undefined
  const paragraphs: ParagraphContext = {
    styles,
    isEnded: (ordinal) => {
      ended ??= endedFields(document.read(part), part, document.limits)
      return ended.has(ordinal)
    },
    onUnknownSymbol: () => {
      warnings.add(`The part ${part} has characters of a symbol font that is not known; their meaning is lost`)
    }
  }
  return {
    budget,
    graphicText: (graphicData) => embeddedText(document, part, graphicData, warnings)?.text ?? "",
    paragraphs,
    reader: makeParagraphReader(paragraphs)
  }
}

const readStyles = (document: OpcPackage, warnings: Warnings): XmlElement | undefined => {
  const part = document.relationships(document.mainPart).find(({ kind }) => kind === "styles")?.part
  if (part === undefined) return undefined
  return optionalPart<XmlElement | undefined>(warnings, undefined, () =>
    parseXml(document.read(part), part, document.limits, stylesChoice)
  )
}

// --- Headers, footers, notes, comments ---

const makeStories = (whole: DocumentContext) => {
  const { budget, document, warnings } = whole
  const partsOf = (kind: string): ReadonlyArray<string> => [
    ...new Set(
      document
        .relationships(document.mainPart)
        .filter((link) => link.kind === kind)
        .flatMap(({ part }) => (part === undefined ? [] : [part]))
    )
  ]

  const texts = (kind: "header" | "footer"): ReadonlyArray<WordStory> => {
    const found = new Set<string>()
    for (const part of partsOf(kind)) {
      const context = makeBlockContext(whole, part)
      const lines: Array<string> = []
      optionalPart(warnings, undefined, () =>
        scanStory(document.read(part), part, document.limits, {
          themeFont: whole.themeFont,
          block: (block) => {
            for (const line of linesOf(block, context)) lines.push(line)
          }
        })
      )
      for (const line of waitingLines(context)) lines.push(line)
      const text = lines.filter((line) => line.trim() !== "").join("\n")
      if (text !== "" && !found.has(text)) {
        budget.spendText(text.length)
        found.add(text)
      }
    }
    return [...found].map((text) => ({ text, char_count: countCodePoints(text) }))
  }

  /** The children `element` of the parts of a kind, those that Word shows. */
  const entries = (kind: string, element: string): ReadonlyArray<WordComment> => {
    const found: Array<WordComment> = []
    for (const part of partsOf(kind)) {
      const context = makeBlockContext(whole, part)
      let current: { readonly id: string; readonly author: string | null; readonly date: string | null } | undefined
      let lines: Array<string> = []
      optionalPart(warnings, undefined, () =>
        scanStory(document.read(part), part, document.limits, {
          themeFont: whole.themeFont,
          enter: (name, attributes) => {
            if (name !== element) return
            // Separators, the rule between text and notes, are stored as notes of a type of their own.
            if ((attributes["w:type"] ?? "normal") !== "normal") return
            lines = []
            current = {
              id: attributes["w:id"] ?? "",
              author: attributes["w:author"] || null,
              date: attributes["w:date"] || null
            }
          },
          block: (block) => {
            if (current === undefined) return
            for (const line of linesOf(block, context)) lines.push(line)
          },
          leave: (name) => {
            if (name !== element || current === undefined) return
            for (const line of waitingLines(context)) lines.push(line)
            const text = lines.join("\n").trim()
            budget.spendText(text.length)
            if (text !== "") found.push({ ...current, text })
            current = undefined
          }
        })
      )
    }
    return found
  }

  return {
    texts,
    notes: (kind: "footnote" | "endnote"): ReadonlyArray<WordNote> =>
      entries(`${kind}s`, `w:${kind}`).map(({ id, text }) => ({ id, text })),
    comments: () => entries("comments", "w:comment")
  }
}

// --- Images ---

const readImages = (document: OpcPackage, budget: Limits.Budget, warnings: Warnings) => {
  const images = makeImages(document, budget, warnings)
  const list: Array<WordImage> = []
  const indexByPart = new Map<string, number>()
  const storyParts = document
    .relationships(document.mainPart)
    .filter(({ kind }) => /^(header|footer|footnotes|endnotes|comments)$/.test(kind))
    .flatMap(({ part }) => (part === undefined ? [] : [part]))
  for (const story of [document.mainPart, ...storyParts]) {
    for (const link of document.relationships(story)) {
      if (link.kind !== "image" || link.external) continue
      if (link.part === undefined) {
        warnings.add(`The part ${story} refers to an image that is not in the file (${link.target})`)
        continue
      }
      if (indexByPart.has(link.part)) continue
      const image = images.ofPart(link.part)
      if (image === undefined) continue
      indexByPart.set(link.part, list.length)
      list.push({ image_index: list.length, ...image })
    }
  }
  return { list, indexByPart }
}
