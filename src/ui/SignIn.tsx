import { useState } from "preact/hooks"
import { fieldsOf } from "./Form.ts"
import { signIn } from "./Session.ts"

/** Takes a token in exchange for a session; the token itself is not kept. */
export const SignIn = ({ why }: { readonly why: string | null }) => {
  const [isBusy, setBusy] = useState(false)
  const submit = async (event: SubmitEvent) => {
    const { token = "" } = fieldsOf(event)
    setBusy(true)
    await signIn(token)
    setBusy(false)
  }
  return (
    <main class="sign-in" tabIndex={-1}>
      <h1>Sign in</h1>
      <form onSubmit={submit}>
        <label>
          Token
          <input type="password" name="token" required autocomplete="current-password" />
        </label>
        <button type="submit" class="primary" disabled={isBusy}>
          Sign in
        </button>
      </form>
      {why === null ? null : (
        <p role="alert" class="failure">
          {why}
        </p>
      )}
      <p>
        A reader sees, an operator acts: <code>READER_TOKEN</code> and <code>OPERATOR_TOKEN</code> of the worker, or a
        signed token of its issuer. <code>serve</code> prints a link that signs in once.
      </p>
    </main>
  )
}
