import { signal } from "@preact/signals"
import { takeToken } from "./Address.ts"
import * as Server from "./Server.ts"

export interface Person {
  readonly name: string
  readonly role: "reader" | "operator"
}

type State =
  | { readonly is: "asking" }
  | { readonly is: "signed out"; readonly why: string | null }
  /** The worker serves its operations to nobody. */
  | { readonly is: "closed"; readonly why: string }
  | { readonly is: "signed in"; readonly person: Person }

export const session = signal<State>({ is: "asking" })

const refused = (error: unknown): void => {
  const why = Server.messageOf(error)
  const status = error instanceof Server.Problem ? error.status : 0
  session.value = status === 403 ? { is: "closed", why } : { is: "signed out", why }
}

export const signIn = async (token: string): Promise<void> => {
  try {
    session.value = { is: "signed in", person: await Server.signIn<Person>(token) }
  } catch (error) {
    refused(error)
  }
}

export const signOut = async (): Promise<void> => {
  await Server.remove("/session").catch(() => undefined)
  session.value = { is: "signed out", why: null }
}

/** By the token of the link, else by the session that the browser has. */
export const resume = async (): Promise<void> => {
  Server.whenSignedOut(() => (session.value = { is: "signed out", why: null }))
  const token = takeToken()
  if (token !== undefined) return signIn(token)
  try {
    session.value = { is: "signed in", person: await Server.get<Person>("/session") }
  } catch (error) {
    if (!(error instanceof Server.Problem) || error.status !== 401) refused(error)
  }
}

/** Whether who is signed in may act. */
export const mayAct = (): boolean => session.value.is === "signed in" && session.value.person.role === "operator"
