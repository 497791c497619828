import { signal } from "@preact/signals"
import type { ComponentChildren } from "preact"
import { useEffect, useRef } from "preact/hooks"

interface Question {
  readonly title: string
  readonly body: ComponentChildren
  /** What the button says that does it. */
  readonly does: string
  readonly isDangerous: boolean
  readonly answer: (isYes: boolean) => void
}

const question = signal<Question | null>(null)

/** Asks before something is done; the answer is no unless somebody presses the button that says what is done. */
export const confirm = (asked: Omit<Question, "answer">): Promise<boolean> =>
  new Promise((resolve) => {
    question.value?.answer(false)
    question.value = {
      ...asked,
      answer: (isYes) => {
        question.value = null
        resolve(isYes)
      }
    }
  })

/** Where it is asked. The browser keeps the focus in it and gives it back. */
export const Confirmations = () => (question.value === null ? null : <Dialog {...question.value} />)

const Dialog = ({ answer, body, does, isDangerous, title }: Question) => {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    const before = document.activeElement
    dialog.current?.showModal()
    return () => {
      if (before instanceof HTMLElement) before.focus()
    }
  }, [])
  return (
    <dialog ref={dialog} aria-labelledby="question" onCancel={() => answer(false)} onClose={() => answer(false)}>
      <h2 id="question">{title}</h2>
      {body}
      <p class="buttons">
        <button type="button" onClick={() => answer(false)}>
          Leave it
        </button>
        <button type="button" class={isDangerous ? "danger" : "primary"} onClick={() => answer(true)}>
          {does}
        </button>
      </p>
    </dialog>
  )
}
