import { describe } from "@effect/vitest"
import { attackCrawls } from "../support/CrawlLives.ts"

describe("every call in the life of a crawl can be the last one of its process, or fail", () => attackCrawls({}))
