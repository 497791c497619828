/** Why a view has nothing to show. */
export const Failure = ({ message, retry }: { readonly message: string; readonly retry?: () => void }) => (
  <div class="failure" role="alert">
    <p>{message}</p>
    {retry === undefined ? null : (
      <button type="button" onClick={retry}>
        Try again
      </button>
    )}
  </div>
)
