import { describe } from "@effect/vitest"
import { attackTasks } from "../support/TaskLives.ts"

describe("every call in the life of a task can be the last one of its process, or fail", () => attackTasks({}))
