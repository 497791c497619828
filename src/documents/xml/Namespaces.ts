/** The prefix under which the readers know a namespace, or undefined for one they never look at. */
export const prefixOf = (uri: string): string | undefined => prefixes.get(uri)

/** Whether the readers use this prefix. */
export const isPrefix = (prefix: string): boolean => used.has(prefix)

/** Each namespace in its transitional form; its strict form (ISO 29500) starts with `http://purl.oclc.org/ooxml/`. */
const families: ReadonlyArray<readonly [prefix: string, transitional: string, strict: string]> = [
  ["w", "wordprocessingml/2006/main", "wordprocessingml/main"],
  ["p", "presentationml/2006/main", "presentationml/main"],
  ["x", "spreadsheetml/2006/main", "spreadsheetml/main"],
  ["a", "drawingml/2006/main", "drawingml/main"],
  ["pic", "drawingml/2006/picture", "drawingml/picture"],
  ["c", "drawingml/2006/chart", "drawingml/chart"],
  ["dgm", "drawingml/2006/diagram", "drawingml/diagram"],
  ["xdr", "drawingml/2006/spreadsheetDrawing", "drawingml/spreadsheetDrawing"],
  ["r", "officeDocument/2006/relationships", "officeDocument/relationships"],
  ["m", "officeDocument/2006/math", "officeDocument/math"]
]

const prefixes = new Map<string, string>([
  ...families.flatMap(([prefix, transitional, strict]): Array<[string, string]> => [
    [`http://schemas.openxmlformats.org/${transitional}`, prefix],
    [`http://purl.oclc.org/ooxml/${strict}`, prefix]
  ]),
  ["http://schemas.openxmlformats.org/package/2006/relationships", "rel"],
  ["http://schemas.openxmlformats.org/package/2006/content-types", "ct"],
  ["http://schemas.openxmlformats.org/package/2006/metadata/core-properties", "cp"],
  ["http://purl.oclc.org/ooxml/package/metadata/core-properties", "cp"],
  ["http://purl.org/dc/elements/1.1/", "dc"],
  ["http://purl.org/dc/terms/", "dcterms"],
  ["http://schemas.openxmlformats.org/markup-compatibility/2006", "mc"],
  ["urn:schemas-microsoft-com:vml", "v"],
  ["urn:schemas-microsoft-com:office:office", "o"],
  ["http://schemas.microsoft.com/office/drawing/2014/chartex", "cx"],
  ["http://schemas.microsoft.com/office/spreadsheetml/2018/threadedcomments", "tc"],
  ["http://schemas.microsoft.com/office/powerpoint/2018/8/main", "p188"]
])

const used: ReadonlySet<string> = new Set(prefixes.values())
