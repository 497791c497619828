import { countCodePoints } from "../../python/CodePoints.ts"
import { damaged, guarded } from "../DocumentError.ts"
import { warnOfCarriedFiles } from "../drawing/CarriedFiles.ts"
import { embeddedText } from "../drawing/Embedded.ts"
import { makeImages } from "../drawing/Images.ts"
import { textBodyText } from "../drawing/TextBody.ts"
import * as Limits from "../Limits.ts"
import { makeWarnings, type Warnings } from "../Warnings.ts"
import { child, children, descendants, integer, isOn, parseXml, type XmlElement } from "../xml/XmlTree.ts"
import { documentProperties, readCoreProperties } from "../zip/CoreProperties.ts"
import { type OpcPackage, openPackage, optionalPart } from "../zip/OpcPackage.ts"
import { makeCommentReader } from "./Comments.ts"
import type {
  PowerPointDocument,
  PowerPointOptions,
  PresentationProperties,
  Slide,
  SlideComment,
  SlideImage,
  SlideNotes,
  SlideStory,
  SlideTable
} from "./PowerPointDocument.ts"
import { readShapes } from "./Shapes.ts"

/** Reads a presentation (.pptx, .pptm, .ppsx, .potx). Throws `DocumentError` and nothing else. */
export const readPowerPoint = (
  bytes: Uint8Array,
  options: PowerPointOptions,
  limits: Limits.Limits = Limits.defaults
): PowerPointDocument =>
  guarded("PowerPoint presentation", () => {
    const warnings = makeWarnings()
    const document = openPackage(bytes, "pptx", limits, warnings)
    const budget = Limits.makeBudget(limits)
    const presentation = parseXml(document.read(document.mainPart), document.mainPart, limits)
    const slideParts = readSlideParts(document, presentation, warnings)
    const images = makeImages(document, budget, warnings)
    const commentsOf = makeCommentReader(document, warnings)
    const layoutNameOf = makeLayoutNames(document, warnings)

    const texts: Array<string> = []
    const slides: Array<Slide> = []
    const allTables: Array<SlideTable> = []
    const notes: Array<SlideNotes> = []
    const allImages: Array<SlideImage> = []
    const comments: Array<SlideComment> = []
    const masterTexts = makeMasterTexts(document, warnings)
    const headers = new Set<string>()
    const footers = new Set<string>()
    const masters = new Set<string>()
    const addStory = (stories: Set<string>, text: string): void => {
      if (text.trim() === "" || stories.has(text)) return
      budget.spendText(text.length)
      stories.add(text)
    }

    const shown: Array<string> = []
    for (const { slide_number, part } of slideParts) {
      const root = parseXml(document.read(part), part, limits)
      const hidden = root.attributes.show !== undefined && !isOn(root.attributes.show)
      if (hidden && !options.include_hidden_slides) continue
      shown.push(part)
      const shapes = readShapes(
        child(child(root, "p:cSld"), "p:spTree"),
        budget,
        (graphicData) => embeddedText(document, part, graphicData, warnings)?.text ?? ""
      )
      const text = shapes.texts.join("\n")
      const tables = shapes.tables.map((table) => ({ slide_number, ...table }))
      texts.push(text)
      for (const master of masterTexts(part, root)) addStory(masters, master)
      for (const table of tables) allTables.push(table)
      slides.push({
        slide_number,
        text,
        char_count: countCodePoints(text),
        shape_count: shapes.count,
        ...(options.include_slide_layouts && { layout: layoutNameOf(part) }),
        ...(options.extract_tables && tables.length > 0 && { tables }),
        ...(hidden && { hidden })
      })
      if (options.extract_notes) {
        const { text: noteText, ...page } = readNotes(document, part, warnings)
        budget.spendText(noteText.length)
        for (const header of page.headers) addStory(headers, header)
        for (const footer of page.footers) addStory(footers, footer)
        if (noteText.trim() !== "") {
          notes.push({ slide_number, text: noteText, char_count: countCodePoints(noteText) })
        }
      }
      if (options.extract_images) {
        for (const id of shapes.imageIds) {
          const image = images.ofRelationship(part, id)
          if (image !== undefined) allImages.push({ slide_number, image_index: allImages.length, ...image })
        }
      }
      if (options.extract_comments) {
        for (const comment of commentsOf(part)) {
          budget.spendText(comment.text.length)
          comments.push({ slide_number, ...comment })
        }
      }
    }

    warnOfCarriedFiles(document, shown, warnings)
    return {
      ...(options.extract_text && { text: texts.join(options.slide_separator) }),
      ...(options.extract_slides && { slides }),
      ...(options.extract_tables && { tables: allTables }),
      ...(options.extract_notes && { notes }),
      ...(options.extract_images && { images: allImages }),
      ...(options.extract_comments && { comments }),
      ...(headers.size > 0 && { headers: asStories(headers) }),
      ...(footers.size > 0 && { footers: asStories(footers) }),
      ...(masters.size > 0 && { master_texts: asStories(masters) }),
      ...(options.extract_properties && {
        properties: readProperties(document, presentation, slideParts.length, warnings)
      }),
      slide_count: slides.length,
      warnings: warnings.list()
    }
  })

const asStories = (texts: ReadonlySet<string>): ReadonlyArray<SlideStory> =>
  [...texts].map((text) => ({ text, char_count: countCodePoints(text) }))

interface SlidePart {
  readonly slide_number: number
  readonly part: string
}

/** The slides in the order of the presentation, which is not that of their file names. */
const readSlideParts = (
  document: OpcPackage,
  presentation: XmlElement,
  warnings: Warnings
): ReadonlyArray<SlidePart> => {
  const ids = children(child(presentation, "p:sldIdLst"), "p:sldId")
  const found: Array<SlidePart> = []
  for (const [index, { attributes }] of ids.entries()) {
    const part = document.related(document.mainPart, attributes["r:id"])?.part
    if (part === undefined) warnings.add(`Slide ${index + 1} is not in the file`)
    else found.push({ slide_number: index + 1, part })
  }
  if (found.length === 0 && ids.length > 0) throw damaged("None of the slides of the presentation is in the file")
  return found
}

const makeLayoutNames = (document: OpcPackage, warnings: Warnings): ((slidePart: string) => string | null) => {
  const names = new Map<string, string | null>()
  return (slidePart) => {
    const part = document.relationships(slidePart).find(({ kind }) => kind === "slideLayout")?.part
    if (part === undefined) return null
    const known = names.get(part)
    if (known !== undefined) return known
    const root = optionalPart<XmlElement | undefined>(warnings, undefined, () =>
      parseXml(document.read(part), part, document.limits)
    )
    const name = child(root, "p:cSld")?.attributes.name ?? null
    names.set(part, name)
    return name
  }
}

interface NotesPage {
  /** Of the notes placeholder and of what else stands on the page, its surroundings left out. */
  readonly text: string
  readonly headers: ReadonlyArray<string>
  readonly footers: ReadonlyArray<string>
}

const readNotes = (document: OpcPackage, slidePart: string, warnings: Warnings): NotesPage => {
  const part = document.relationships(slidePart).find(({ kind }) => kind === "notesSlide")?.part
  if (part === undefined) return { text: "", headers: [], footers: [] }
  const root = optionalPart<XmlElement | undefined>(warnings, undefined, () =>
    parseXml(document.read(part), part, document.limits)
  )
  const shapes = [...descendants(child(child(root, "p:cSld"), "p:spTree"), "p:sp")].map((shape) => {
    const body = child(shape, "p:txBody")
    const placeholder = [...descendants(child(shape, "p:nvSpPr"), "p:ph")][0]
    return {
      placeholder: placeholder === undefined ? undefined : (placeholder.attributes.type ?? "obj"),
      text: body === undefined ? "" : textBodyText(body)
    }
  })
  const textsOf = (wanted: (placeholder: string) => boolean): ReadonlyArray<string> =>
    shapes.filter(({ placeholder = "", text }) => text !== "" && wanted(placeholder)).map(({ text }) => text)
  const bodies = textsOf((placeholder) => placeholder === "body")
  const others = textsOf((placeholder) => placeholder !== "body" && !surroundings.has(placeholder))
  return {
    text: [...bodies, ...others].join("\n"),
    headers: textsOf((placeholder) => placeholder === "hdr"),
    footers: textsOf((placeholder) => placeholder === "ftr")
  }
}

/** The texts that a slide shows of its layout and its master: of all shapes there but placeholders. */
const makeMasterTexts = (
  document: OpcPackage,
  warnings: Warnings
): ((slidePart: string, slide: XmlElement) => ReadonlyArray<string>) => {
  const known = new Map<string, { readonly texts: ReadonlyArray<string>; readonly showsMaster: boolean }>()
  const partOf = (part: string, wanted: string): string | undefined =>
    document.relationships(part).find(({ kind }) => kind === wanted)?.part
  const read = (part: string) => {
    const found = known.get(part)
    if (found !== undefined) return found
    const root = optionalPart<XmlElement | undefined>(warnings, undefined, () =>
      parseXml(document.read(part), part, document.limits)
    )
    const shapes = [...descendants(child(child(root, "p:cSld"), "p:spTree"), "p:sp")]
    const texts = shapes
      .filter((shape) => [...descendants(child(shape, "p:nvSpPr"), "p:ph")].length === 0)
      .map((shape) => {
        const body = child(shape, "p:txBody")
        return body === undefined ? "" : textBodyText(body)
      })
    const content = { texts, showsMaster: showsMaster(root) }
    known.set(part, content)
    return content
  }
  return (slidePart, slide) => {
    const layoutPart = showsMaster(slide) ? partOf(slidePart, "slideLayout") : undefined
    if (layoutPart === undefined) return []
    const layout = read(layoutPart)
    const masterPart = layout.showsMaster ? partOf(layoutPart, "slideMaster") : undefined
    return masterPart === undefined ? layout.texts : [...read(masterPart).texts, ...layout.texts]
  }
}

const showsMaster = (root: XmlElement | undefined): boolean =>
  root?.attributes.showMasterSp === undefined || isOn(root.attributes.showMasterSp)

const surroundings = new Set(["sldImg", "sldNum", "hdr", "ftr", "dt"])

const readProperties = (
  document: OpcPackage,
  presentation: XmlElement,
  slide_count: number,
  warnings: Warnings
): PresentationProperties => {
  const size = child(presentation, "p:sldSz")?.attributes
  return {
    ...documentProperties(readCoreProperties(document, warnings)),
    slide_count,
    slide_width: integer(size?.cx) ?? null,
    slide_height: integer(size?.cy) ?? null
  }
}
