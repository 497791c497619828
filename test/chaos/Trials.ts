/** What a run puts the fleet through besides single faults, kills and thieves. Each can be left out by its name. */
export const all = [
  "slow",
  "zombies",
  "readers",
  "edits",
  "clocks",
  "outages",
  "deletions",
  "killers",
  "followed",
  "renames"
] as const
export type Trial = (typeof all)[number]

/** All but those of a comma list; undefined when the list names something else. */
export const without = (list: string): ReadonlySet<Trial> | undefined => {
  const names = list
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "")
  const known: ReadonlyArray<string> = all
  return names.every((name) => known.includes(name))
    ? new Set(all.filter((trial) => !names.includes(trial)))
    : undefined
}
