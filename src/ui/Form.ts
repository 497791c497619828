/** What somebody filled in, by the names of the fields; empty ones are left out. */
export const fieldsOf = (event: SubmitEvent): Readonly<Record<string, string>> => {
  event.preventDefault()
  const form = event.currentTarget
  if (!(form instanceof HTMLFormElement)) return {}
  return Object.fromEntries(
    [...new FormData(form)].flatMap(([name, value]) => {
      const text = typeof value === "string" ? value.trim() : ""
      return text === "" ? [] : [[name, text]]
    })
  )
}
