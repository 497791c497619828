import { describe } from "@effect/vitest"
import { attack } from "../support/CrashPoints.ts"
import { firstCrawl } from "../support/CrawlLives.ts"
import { task } from "../support/TaskLives.ts"

/* Queue and documents in SQLite have these lives in CrashPoints.test.ts; here the blobs are files, too. */

describe("every call in a life on one folder can be the last one of its process, or fail", () =>
  void attack(
    [
      { ...task("a task that is larger than a message", "big.txt", "completed", { kept: "folder" }), atLeast: 12 },
      { ...firstCrawl("blobs", "a.txt", "big.txt"), kept: "folder" }
    ],
    [
      ["the process ends before it hears the answer", "dies after"],
      ["it takes effect, but its answer is lost", "fails after"]
    ]
  ))
