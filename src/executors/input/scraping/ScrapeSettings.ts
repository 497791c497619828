import * as Either from "effect/Either"
import * as CutText from "../../../text/CutText.ts"
import * as Settings from "../../../executor/Settings.ts"
import * as PageUrl from "./PageUrl.ts"
import * as ScreenshotFile from "./ScreenshotFile.ts"

/** True, false, or null when the definition leaves the choice to us. */
const optionalBoolean = (description: string) =>
  Settings.custom<boolean, { readonly description: string; readonly default: null }>(
    "boolean",
    { description, default: null },
    (raw) => {
      if (typeof raw === "boolean") return Either.right(raw)
      return typeof raw === "string"
        ? Either.right(["true", "1", "yes"].includes(raw.trim().toLowerCase()))
        : Either.left("must be true or false.")
    }
  )

/** Addresses: a YAML list, a JSON list as text, or a comma list, in which a comma that no address follows belongs to the one before it. */
const readAddresses = (raw: unknown): Either.Either<ReadonlyArray<string>, string> => {
  const json = typeof raw === "string" && raw.trim().startsWith("[") ? parseJson(raw) : raw
  const parts = typeof json === "string" ? json.split(/,(?=\s*(?:https?:|[a-z][a-z0-9+.-]*:\/\/|$))/i) : json
  return Array.isArray(parts) && parts.every((part) => typeof part === "string")
    ? Either.right(parts.map((part) => part.trim()).filter((part) => part !== ""))
    : Either.left("must be a list of addresses or a comma list.")
}

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The settings of `web_scraper`, and ours. */
export const settings = {
  start_urls: Settings.custom<ReadonlyArray<string>, { readonly description: string; readonly required: true }>(
    "string",
    {
      description:
        "Addresses of the first pages, visited in this order: a list or a comma list. May be empty when the incoming items have one in data.url or data.source_url.",
      required: true
    },
    readAddresses
  ),
  link_patterns: Settings.list({
    description:
      "Links that are followed, as shell patterns of whole addresses (https://example.com/blog/*): a list or a comma list. Start pages need not match. With patterns a crawl may leave the sites of the start pages.",
    default: null
  }),
  selectors: Settings.object({
    description:
      'Field names with the CSS selector or XPath 1.0 of their value: the text of the first match, or with @name behind the selector that attribute ("img.logo@src"). A selector without match leaves its field out. XPath begins with /, ./ or ( and has no variables, namespaces and following or preceding axes; pseudo-classes of browser drivers (:has-text) are not supported.',
    default: { title: "title", body: "body" }
  }),
  render_js: optionalBoolean(
    "Load pages in a browser, so that their scripts run. True fails without a browser; false fetches them without one (unless screenshots are asked for); left out, pages are rendered where a browser is configured, and else fetched, with a warning in the log."
  ),
  browser_path: Settings.string({
    description:
      "Path of the Chromium (or Chrome, Edge) that renders pages. Default: the worker's environment variable CHROMIUM_PATH. It also needs the package playwright-core.",
    default: null
  }),
  follow_links: Settings.boolean({ description: "Visit the pages that pages link to.", default: false }),
  same_site: optionalBoolean(
    "Follow links only to the hosts of the start pages (with or without www). Default: true without link_patterns; patterns decide alone."
  ),
  max_depth: Settings.integer({
    description: "How many links away from a start page pages may lie.",
    default: 1,
    min: 0,
    max: 10
  }),
  rate_limit: Settings.number({
    description: "Pages per second. A longer Crawl-delay of robots.txt is kept, up to 10 seconds.",
    default: 1,
    min: 0.1,
    max: 10
  }),
  max_pages: Settings.integer({ description: "Pages that are read at most.", default: 100, min: 1, max: 1000 }),
  wait_for_selector: Settings.string({
    description: "Waited for, up to 10 seconds, where pages are rendered. A page without it is taken as it is.",
    default: null
  }),
  include_html: Settings.boolean({ description: "Put the page's HTML into html.", default: false }),
  user_agent: Settings.string({
    description: "How we introduce ourselves to servers and look for ourselves in robots.txt.",
    default: null
  }),
  screenshot_enabled: Settings.boolean({
    description: "Take a picture of each page. Needs a browser.",
    default: false
  }),
  screenshot_full_page: Settings.boolean({
    description: "The whole page; false is what a window of 1280 x 720 shows.",
    default: true
  }),
  screenshot_selector: Settings.string({
    description: "Only the first element that this matches; a page without one has no screenshot.",
    default: null
  }),
  screenshot_type: Settings.choice(["png", "jpeg"], {
    description: "How pictures are written.",
    default: "png",
    unknown: "png"
  }),
  screenshot_quality: Settings.integer({ description: "Of jpeg pictures.", default: null, min: 1, max: 100 }),
  screenshot_save_to_file: Settings.boolean({
    description: "Write pictures to files, with their path in screenshot_path, instead of base64 in screenshot_base64.",
    default: false
  }),
  screenshot_output_dir: Settings.string({
    description:
      "Where these files go: below ./screenshots, ./tmp, the system's temporary folder or a folder of the worker's setting LOCAL_ROOTS.",
    default: "./screenshots"
  }),
  screenshot_filename_template: Settings.string({
    description: "Their names, of {timestamp}, {index}, {ext} and {url}; a name that is taken gets a number.",
    default: "{timestamp}_{index}.{ext}"
  }),
  output_field: Settings.string({
    description:
      "Key of data for { url, title, links, extracted_fields, text, timestamp, rendered } and, as far as they are asked for or differ, html, screenshot_base64, screenshot_path, final_url. text is the main content as a reader sees it. A page that failed has an error there too.",
    default: "web_scraping_output"
  }),
  include_failed_pages: Settings.boolean({
    description: "Whether a page that could not be read is an item, with a failed entry in its log, or is left out.",
    default: true
  }),
  respect_robots_txt: Settings.boolean({
    description: "Keep to the robots.txt of each site; false ignores it.",
    default: true
  }),
  allow_private_addresses: Settings.boolean({
    description:
      "Whether hosts may have private, loopback or link-local addresses. With true a page can make the worker read services inside its network.",
    default: false
  }),
  page_timeout_secs: Settings.integer({
    description: "Seconds that one page may take.",
    default: 30,
    min: 1,
    max: 600
  }),
  max_page_bytes: Settings.integer({
    description: "A larger page, packed or unpacked, fails.",
    default: 5 * 1024 * 1024,
    min: 1024,
    max: 100 * 1024 * 1024
  })
}

export type ScrapeSettings = Settings.TypeOf<typeof settings>

/** What no single setting shows. */
export const problems = (decoded: ScrapeSettings): ReadonlyArray<Settings.SettingProblem> => {
  const template = ScreenshotFile.problemOf(decoded.screenshot_filename_template)
  return [
    ...decoded.start_urls.flatMap((address, index) =>
      Either.match(PageUrl.parse(address), {
        onLeft: (message) => [{ path: ["start_urls", index], message: `The setting start_urls is wrong: ${message}.` }],
        onRight: () => []
      })
    ),
    ...Object.entries(decoded.selectors).flatMap(([name, selector]) =>
      typeof selector === "string"
        ? []
        : [{ path: ["selectors", name], message: `The selector of the field ${name} must be a text.` }]
    ),
    ...(decoded.browser_path === null || isBrowser(decoded.browser_path)
      ? []
      : [
          {
            path: ["browser_path"],
            message: `The setting browser_path must be the absolute path of a Chromium, Chrome or Edge, not ${JSON.stringify(CutText.cut(decoded.browser_path, 200))}.`
          }
        ]),
    ...(template === null
      ? []
      : [
          {
            path: ["screenshot_filename_template"],
            message: `The setting screenshot_filename_template ${template}`
          }
        ])
  ]
}

/** A definition names a program that the worker starts: nothing but a browser will do. */
const isBrowser = (path: string): boolean => {
  const parts = path.split(/[\\/]/)
  return (
    /^(?:\/|[A-Za-z]:[\\/])/.test(path) &&
    !parts.includes("..") &&
    /^(?:google-)?(?:chrom(?:e|ium)|microsoft-edge|msedge)[ \w.-]*$/i.test(parts.at(-1) ?? "")
  )
}
