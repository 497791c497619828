/** What an invitation or another calendar entry (RFC 5545) says to people, a line for each of its facts. Blank where there is none. */
export const calendarText = (calendar: string): string => {
  const entries: Array<Array<string>> = []
  let entry: Array<string> | undefined
  let within = 0
  for (const line of calendar.replace(/\r?\n[ \t]/g, "").split(/\r?\n/)) {
    const found = /^([A-Za-z-]+)((?:;[^:"]*(?:"[^"]*"[^:"]*)*)?):(.*)$/.exec(line)
    if (found === null) continue
    const [, name = "", parameters = "", value = ""] = found
    const property = name.toUpperCase()
    if (property === "BEGIN") {
      if (entry !== undefined) within++
      else if (/^V(?:EVENT|TODO|JOURNAL)$/i.test(value.trim())) entries.push((entry = []))
    } else if (property === "END") {
      if (within > 0) within--
      else entry = undefined
    } else if (within === 0) {
      const label = labels.get(property)
      const text = label === undefined ? "" : readable(property, parameters, value)
      if (text !== "") entry?.push(`${label}: ${text}`)
    }
  }
  return entries
    .map((lines) => lines.join("\n"))
    .filter((text) => text !== "")
    .join("\n\n")
}

const labels: ReadonlyMap<string, string> = new Map([
  ["SUMMARY", "Summary"],
  ["DTSTART", "Start"],
  ["DTEND", "End"],
  ["DUE", "Due"],
  ["DURATION", "Duration"],
  ["RRULE", "Repeats"],
  ["LOCATION", "Location"],
  ["ORGANIZER", "Organizer"],
  ["ATTENDEE", "Attendee"],
  ["STATUS", "Status"],
  ["URL", "URL"],
  ["DESCRIPTION", "Description"],
  ["COMMENT", "Comment"]
])

const readable = (property: string, parameters: string, value: string): string => {
  if (property === "ORGANIZER" || property === "ATTENDEE") {
    const name = /;CN=(?:"([^"]*)"|([^;:]*))/i.exec(parameters)
    const address = value.replace(/^mailto:/i, "").trim()
    const shown = name?.[1] ?? name?.[2] ?? ""
    return shown === "" || shown === address ? address : `${shown} <${address}>`
  }
  if (/^(?:DTSTART|DTEND|DUE)$/.test(property)) {
    const zone = /;TZID=(?:"([^"]*)"|([^;:]*))/i.exec(parameters)
    return [time(value.trim()), zone?.[1] ?? zone?.[2] ?? ""].filter((part) => part !== "").join(" ")
  }
  return value.replace(/\\([nN,;\\])/g, (_, escaped: string) => (escaped.toLowerCase() === "n" ? "\n" : escaped)).trim()
}

const time = (value: string): string =>
  value.replace(
    /^(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z?))?$/,
    (_, year: string, month: string, day: string, hour?: string, minute?: string, second?: string, utc?: string) =>
      hour === undefined ? `${year}-${month}-${day}` : `${year}-${month}-${day}T${hour}:${minute}:${second}${utc}`
  )
