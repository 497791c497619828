/** Keys of a definition, read by the worker or written by the canvas. */
export const definition = ["name", "executors", "edges", "execution_sequence"]
export const file = ["pipeline", "pipelines"]
export const executor = ["id", "type", "settings", "name", "position"]
export const edge = ["from", "to", "type", "condition", "wait_strategy"]
export const target = ["target", "condition"]

/** Notes for people: they have no effect. */
export const notes = ["id", "name", "description", "label", "version", "tags", "metadata", "author", "comment", "notes"]

/** The usual names for what only anchors refer to, and for extensions of other programs. */
export const privateKey = /^(?:x-|\.|_)/
