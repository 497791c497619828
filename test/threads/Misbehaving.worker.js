// Jobs that no thread should be asked to do. Plain JavaScript, because Node 20 starts no thread from TypeScript.
const jobs = {
  echo: (input) => input,
  size: (input) => input.byteLength,
  forever: () => {
    for (;;);
  },
  exit: () => process.exit(3),
  abort: () => process.abort(),
  print: (input) => {
    // oxlint-disable-next-line no-console -- libraries print, too
    console.log("among the answer")
    return input
  },
  environment: () => Object.keys(process.env).sort(),
  reject: () => Promise.reject(new Error("a bug")),
  hoard: () => {
    const hoard = []
    for (;;) hoard.push(Array.from({ length: 10_000 }, Math.sqrt))
  }
}

export default async ({ job, input }) => ({ ok: await jobs[job](input), buffers: [] })
