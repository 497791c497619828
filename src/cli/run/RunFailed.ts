import * as Schema from "effect/Schema"

/** The run did not come to its end, or not even to its start; `message` says where and why. */
export class RunFailed extends Schema.TaggedError<RunFailed>()("RunFailed", { message: Schema.String }) {}
