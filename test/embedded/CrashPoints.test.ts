import { describe } from "@effect/vitest"
import { attackCrawls } from "../support/CrawlLives.ts"
import { attackTasks } from "../support/TaskLives.ts"

describe("every call in the life of a task can be the last one of its process, or fail, on SQLite", () =>
  attackTasks({ kept: "SQLite" }))

describe("every call in the life of a crawl can be the last one of its process, or fail, on SQLite", () =>
  attackCrawls({ kept: "SQLite" }))
