import { render } from "preact"
import { useEffect, useRef } from "preact/hooks"
import { Announcements } from "./Announcement.tsx"
import { address, to, type View, views } from "./Address.ts"
import { follow, isLive } from "./Changes.ts"
import { Confirmations } from "./Confirmation.tsx"
import { resume, session, signOut } from "./Session.ts"
import { SignIn } from "./SignIn.tsx"
import { Execution } from "./views/Execution.tsx"
import { Executions } from "./views/Executions.tsx"
import { Operations } from "./views/Operations.tsx"
import { Overview } from "./views/Overview.tsx"
import { PoisonMessage, PoisonQueue } from "./views/Poison.tsx"
import { Vault, Vaults } from "./views/Vaults.tsx"
import { Workers } from "./views/Workers.tsx"

const App = () => {
  const state = session.value
  if (state.is === "asking") return <main aria-busy="true" />
  if (state.is === "signed out") return <SignIn why={state.why} />
  if (state.is === "closed") {
    return (
      <main class="sign-in">
        <h1>Closed</h1>
        <p>{state.why}</p>
      </main>
    )
  }
  return <SignedIn name={state.person.name} role={state.person.role} />
}

const SignedIn = ({ name, role }: { readonly name: string; readonly role: string }) => {
  useEffect(follow, [])
  const { view } = address.value
  return (
    <>
      <a
        class="skip"
        href="#main"
        onClick={(event) => {
          event.preventDefault()
          document.querySelector<HTMLElement>("#title")?.focus()
        }}
      >
        Skip to the content
      </a>
      <header>
        <strong>ContentFlow</strong>
        <nav aria-label="Views">
          <ul>
            {Object.entries(views).map(([each, title]) => (
              <li key={each}>
                <a href={to(each as View)} aria-current={each === view ? "page" : undefined}>
                  {title}
                </a>
              </li>
            ))}
          </ul>
        </nav>
        <p>
          <span class={isLive.value ? "live" : "still"}>{isLive.value ? "live" : "not live"}</span>{" "}
          <span>{name === role ? name : `${name} (${role})`}</span>{" "}
          <button type="button" onClick={signOut}>
            Sign out
          </button>
        </p>
      </header>
      <main id="main">
        <Title />
        <Current />
      </main>
      <Announcements />
      <Confirmations />
    </>
  )
}

/** The heading of the view, where the focus goes when another view is opened. */
const Title = () => {
  const { id, view } = address.value
  const heading = useRef<HTMLHeadingElement>(null)
  const isFirst = useRef(true)
  const text = id === null ? views[view] : id
  useEffect(() => {
    document.title = `${text} – ContentFlow worker`
    if (!isFirst.current) heading.current?.focus()
    isFirst.current = false
  }, [view, id])
  return (
    <>
      {id === null ? null : (
        <p class="back">
          <a href={to(view)}>{views[view]}</a>
        </p>
      )}
      <h1 id="title" ref={heading} tabIndex={-1}>
        {text}
      </h1>
    </>
  )
}

const Current = () => {
  const { id, view } = address.value
  switch (view) {
    case "executions":
      return id === null ? <Executions /> : <Execution key={id} id={id} />
    case "poison":
      return id === null ? <PoisonQueue /> : <PoisonMessage key={id} id={id} />
    case "vaults":
      return id === null ? <Vaults /> : <Vault key={id} id={id} />
    case "workers":
      return <Workers />
    case "operations":
      return <Operations />
    default:
      return <Overview />
  }
}

const place = document.querySelector("#page")
if (place !== null) render(<App />, place)
void resume()
