/* What a worker of a chaos run loads before itself. The clock comes first: others may keep the Date that they find. */
import "./Clock.mjs"
import "./Model.mjs"
import "./PassThrough.mjs"
