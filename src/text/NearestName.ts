/** The known name that was probably meant by one that is not known. */
export const find = (name: string, known: Iterable<string>): string | undefined => {
  const wanted = normalized(name)
  let best: { readonly name: string; readonly distance: number } | undefined
  for (const each of known) {
    const distance = distanceOf(wanted, normalized(each))
    if (distance <= Math.max(2, wanted.length / 5) && distance < Math.max(wanted.length, 1)) {
      if (best === undefined || distance < best.distance) best = { name: each, distance }
    }
  }
  return best?.name
}

/** The only known name of which the word is the beginning or the end: `deployment` for `deployment_name`, `key` for `api_key`. */
export const ofPart = (word: string, known: Iterable<string>): string | undefined => {
  const wanted = normalized(word)
  const fitting = [...known].filter((each) => {
    const whole = normalized(each)
    return whole.startsWith(`${wanted}_`) || whole.endsWith(`_${wanted}`)
  })
  return wanted.length >= 3 && fitting.length === 1 ? fitting[0] : undefined
}

const normalized = (name: string): string => name.trim().toLowerCase().replaceAll("-", "_").slice(0, 100)

/** Letters to add, remove or exchange. */
const distanceOf = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const exchanged = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(exchanged, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
