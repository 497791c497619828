interface FieldProps {
  readonly label: string
  readonly name: string
  readonly value: string | undefined
}

export const Text = ({ label, name, value }: FieldProps) => (
  <label>
    {label} <input type="text" name={name} defaultValue={value ?? ""} maxLength={1_000} autocomplete="off" />
  </label>
)

export const Choice = ({
  label,
  name,
  options,
  value
}: FieldProps & { readonly options: ReadonlyArray<readonly [string, string]> }) => {
  const all =
    value === undefined || options.some(([id]) => id === value) ? options : [...options, [value, value] as const]
  return (
    <label>
      {label}{" "}
      <select name={name}>
        <option value="">any</option>
        {all.map(([id, text]) => (
          <option key={id} value={id} selected={id === value}>
            {text}
          </option>
        ))}
      </select>
    </label>
  )
}
