import { signal } from "@preact/signals"

const text = signal("")

/** Says something to who listens to the page, and shows it for a while. */
export const announce = (message: string): void => {
  text.value = message
}

/** Where it is said. It is always there: what appears with its text is not read out everywhere. */
export const Announcements = () => (
  <div class="announcements" role="status">
    {text.value === "" ? null : (
      <p>
        {text.value}{" "}
        <button type="button" class="plain" onClick={() => (text.value = "")}>
          Dismiss
        </button>
      </p>
    )}
  </div>
)
