/**
 * Texts that people read, without what would let a reader sign in: keys and signatures in addresses and connection strings, tokens of
 * an Authorization header, and every secret that this process was given. Errors of others quote such things.
 */
export const redact = (text: string): string => {
  let safe = text
  longestFirst ??= [...known].sort((one, other) => other.length - one.length)
  for (const secret of longestFirst) if (safe.includes(secret)) safe = safe.replaceAll(secret, hidden)
  if (!suspicious.test(safe)) return safe
  for (const [pattern, replacement] of patterns) safe = safe.replace(pattern, replacement)
  return safe
}

/** From now on {@link redact} hides this secret of the process; of a connection string also the key or signature alone. */
export const remember = (secret: string): void => {
  for (const part of [secret, ...partsOf(secret)]) {
    for (const spelling of [part, encodeURIComponent(part), JSON.stringify(part).slice(1, -1)]) {
      if (spelling.length < shortest) continue
      known.delete(spelling)
      known.add(spelling)
    }
  }
  for (const oldest of known) {
    if (known.size <= most) break
    known.delete(oldest)
  }
  longestFirst = undefined
}

const hidden = "<redacted>"

/** What the process was given; one set for all engines in it, since a text may come from any of them. The last ones are kept. */
const known = new Set<string>()
/** One secret may be the beginning of another. */
let longestFirst: ReadonlyArray<string> | undefined
const most = 1_000

/** A shorter one is found in innocent texts, and is no secret worth the name. */
const shortest = 8

const partsOf = (secret: string): ReadonlyArray<string> =>
  [
    ...secret.matchAll(/(?:AccountKey|SharedAccessSignature|SharedAccessKey|Secret)=([^;]+)/gi),
    ...secret.matchAll(/[?&]?\bsig=([^&;]+)/gi)
  ].map((match) => match[1] ?? "")

/** Nearly every text has none of these. */
const suspicious = /[=:@%]|\b(?:Bearer|Basic|SharedKey|eyJ)/i

/**
 * Every repetition is bounded or can't be entered twice: texts are hostile, too. The ends stop at a backslash, which may escape a quote,
 * but not at what is hidden already: a known secret may be a part of this one.
 */
const patterns: ReadonlyArray<readonly [RegExp, string]> = [
  // AccountKey=… of a connection string.
  [
    /\b((?:AccountKey|SharedAccessKey|SharedAccessSignature|ClientSecret|ApiKey|Password|Pwd|Secret)\s?=\s?)(?:<redacted>|[^;\s"'<>\\])+/gi,
    `$1${hidden}`
  ],
  // ?sig=… of an address, also of one inside another.
  [
    /((?:[?&;]|%3F|%26)(?:amp;)?(?:sig|code|key|token|api[-_]?key|access[-_]?token|client[-_]secret|subscription[-_]key|password|secret)(?:=|%3D))(?:<redacted>|[^&\s"'<>)\\])+/gi,
    `$1${hidden}`
  ],
  [/\b(sig=)(?:<redacted>|[^&\s"'<>)\\])+/gi, `$1${hidden}`],
  // https://name:password@host
  [/(:\/\/)[^/\s:@"'\\]{1,256}:[^/\s@"'\\]{1,256}@/g, `$1${hidden}@`],
  // Authorization: Bearer …
  [/\b(Bearer|Basic|SharedKey(?:Lite)?)\s(?=[\w+/=.~:<>-]{8})(?:<redacted>|[\w+/=.~:-])+/gi, `$1 ${hidden}`],
  // A token of Microsoft Entra, wherever it stands.
  [/\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?/g, hidden]
]
