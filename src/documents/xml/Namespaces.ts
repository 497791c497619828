/** The prefix under which the readers know a namespace, or undefined for one they do not understand. */
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
  ["cdr", "drawingml/2006/chartDrawing", "drawingml/chartDrawing"],
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
  ["http://schemas.microsoft.com/office/powerpoint/2018/8/main", "p188"],
  ["http://schemas.microsoft.com/office/spreadsheetml/2017/richdata", "xlrd"],
  ["http://schemas.microsoft.com/office/spreadsheetml/2020/richdatawebimage", "xlwi"],
  ["http://schemas.microsoft.com/office/spreadsheetml/2022/richvaluerel", "xlrv"],
  ["http://schemas.microsoft.com/office/drawing/2012/chart", "c15"],
  // Extensions that wrap, or stand beside, what the readers look at: an alternative that requires them is understood.
  ["http://schemas.microsoft.com/office/word/2010/wordml", "w14"],
  ["http://schemas.microsoft.com/office/word/2012/wordml", "w15"],
  ["http://schemas.microsoft.com/office/word/2010/wordprocessingDrawing", "wp14"],
  ["http://schemas.microsoft.com/office/word/2010/wordprocessingShape", "wps"],
  ["http://schemas.microsoft.com/office/word/2010/wordprocessingGroup", "wpg"],
  ["http://schemas.microsoft.com/office/word/2010/wordprocessingCanvas", "wpc"],
  ["http://schemas.microsoft.com/office/drawing/2010/main", "a14"],
  ["http://schemas.microsoft.com/office/drawing/2012/main", "a15"],
  ["http://schemas.microsoft.com/office/drawing/2014/main", "a16"],
  ["http://schemas.microsoft.com/office/drawing/2007/8/2/chart", "c14"],
  ["http://schemas.microsoft.com/office/drawing/2014/chart", "c16"],
  ["http://schemas.microsoft.com/office/drawing/2010/slicer", "sle"],
  ["http://schemas.microsoft.com/office/drawing/2012/slicer", "sle15"],
  ["http://schemas.microsoft.com/office/drawing/2012/timeslicer", "tsle"],
  ["http://schemas.microsoft.com/office/spreadsheetml/2009/9/main", "x14"],
  ["http://schemas.microsoft.com/office/spreadsheetml/2010/11/main", "x15"],
  // The editions of charts such as waterfall and treemap, which all hold elements of the first.
  ...["2015/9/8", "2015/10/21", "2016/5/9", "2016/5/10", "2016/5/11", "2016/5/12", "2016/5/13", "2016/5/14"].map(
    (edition, index): [string, string] => [
      `http://schemas.microsoft.com/office/drawing/${edition}/chartex`,
      `cx${index + 1}`
    ]
  )
])

const used: ReadonlySet<string> = new Set(prefixes.values())
