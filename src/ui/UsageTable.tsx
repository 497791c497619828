export interface ModelUsage {
  readonly node?: string
  readonly model: string
  readonly deployment: string | null
  readonly calls: number
  readonly input_tokens: number
  readonly output_tokens: number
  readonly pages: number
  readonly cost?: number | null
}

const count = (value: number): string => value.toLocaleString()

/** In the currency of the price table. */
export const money = (value: number): string => value.toLocaleString(undefined, { maximumSignificantDigits: 4 })

/** What was used of services that are paid for; the cost where the price table has one. */
export const UsageTable = ({ models }: { readonly models: ReadonlyArray<ModelUsage> }) => {
  const hasNodes = models.some(({ node }) => node !== undefined)
  return (
    <div class="scroll-x" role="group" aria-label="Usage" tabIndex={0}>
      <table>
        <thead>
          <tr>
            {hasNodes ? <th scope="col">Node</th> : null}
            <th scope="col">Model or service</th>
            <th scope="col">Deployment</th>
            {["Calls", "Input tokens", "Output tokens", "Pages", "Cost"].map((title) => (
              <th key={title} scope="col" class="number">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {models.map(({ calls, cost, deployment, input_tokens, model, node, output_tokens, pages }, index) => (
            <tr key={index}>
              {hasNodes ? <td>{node}</td> : null}
              <td>{model}</td>
              <td>{deployment ?? "–"}</td>
              <td class="number">{count(calls)}</td>
              <td class="number">{count(input_tokens)}</td>
              <td class="number">{count(output_tokens)}</td>
              <td class="number">{count(pages)}</td>
              <td class="number">{cost === null || cost === undefined ? "no price" : money(cost)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
