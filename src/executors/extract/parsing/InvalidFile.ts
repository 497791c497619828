import type { DocumentError } from "../../../documents/DocumentError.ts"
import { type Content, withSummary } from "../../../domain/Content.ts"
import * as Settings from "../../../executor/Settings.ts"

/** What becomes of a file that the extractor can't open: the original passes it on, so that one item can go to several extractors. */
export const setting = (prefix: "word" | "pptx") =>
  Settings.choice(["skip", "fail"], {
    description:
      `What becomes of a file that cannot be opened (another format, damaged, locked): skip passes it on with ` +
      `${prefix}_extraction_status invalid_file in its summary, fail fails the item. One that exceeds a limit fails always.`,
    default: "skip"
  })

export const isInvalid = ({ reason }: DocumentError): boolean => reason !== "LimitExceeded"

/** The item as it came, marked, with the reason. */
export const marked = (
  prefix: "pdf" | "word" | "pptx" | "excel" | "document" | "ocr",
  item: Content,
  error: DocumentError
): Content =>
  withSummary(item, {
    [`${prefix}_extraction_status`]: "invalid_file",
    [`${prefix}_extraction_error`]: `${error.message}.`
  })
