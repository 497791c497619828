/**
 * Whether this command line runs until it is stopped, so that a signal is its orderly end and its log what it writes; everything else has a result, which is
 * missing when it is interrupted.
 */
export const isService = (argv: ReadonlyArray<string>): boolean => {
  const words = argv.slice(2)
  const command = words.find((word, index) => !word.startsWith("-") && words[index - 1] !== "--log-level")
  return (
    command === "start" ||
    (command === "serve" && !words.includes("--once")) ||
    (command === "demo" && words.includes("--watch"))
  )
}

/** Whether being interrupted is how this command line ends: it runs until it is stopped, and has no result that would be missing. */
export const endsBySignal = (argv: ReadonlyArray<string>): boolean => isService(argv) || argv.includes("--watch")
