/** The type of a file by its name, as uploading programs say it: pipelines tell documents apart by `id.metadata.content_type`. */
export const ofName = (name: string): string =>
  mediaTypes[name.slice(name.lastIndexOf(".") + 1).toLowerCase()] ?? "application/octet-stream"

const openXml = "application/vnd.openxmlformats-officedocument"

const mediaTypes: Readonly<Record<string, string>> = {
  pdf: "application/pdf",
  docx: `${openXml}.wordprocessingml.document`,
  pptx: `${openXml}.presentationml.presentation`,
  xlsx: `${openXml}.spreadsheetml.sheet`,
  csv: "text/csv",
  html: "text/html",
  htm: "text/html",
  md: "text/markdown",
  txt: "text/plain",
  json: "application/json",
  xml: "application/xml",
  eml: "message/rfc822",
  png: "image/png",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  tif: "image/tiff",
  tiff: "image/tiff"
}
