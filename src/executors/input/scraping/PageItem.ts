import { createHash } from "node:crypto"
import type { Content } from "../../../domain/Content.ts"

/** The empty item of a page: known by its address, so that the next crawl finds the same one. */
export const itemOf = (address: string): Content => ({
  id: {
    canonical_id: address,
    unique_id: createHash("sha1").update(address).digest("hex"),
    source_name: "web_scraper",
    source_type: "webpage",
    container: null,
    path: null,
    filename: null,
    metadata: null
  },
  summary_data: {},
  data: {},
  executor_logs: []
})
