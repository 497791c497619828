import process from "node:process"
import { version } from "../config/Version.ts"
import type { Sample } from "./Prometheus.ts"

export const id: number = process.pid

const runtime =
  process.versions["deno"] === undefined ? `node ${process.versions.node}` : `deno ${process.versions["deno"]}`

/** The process as Prometheus' own client libraries describe it. */
export const samples = (): ReadonlyArray<Sample> => {
  const memory = process.memoryUsage()
  const cpu = process.cpuUsage()
  return [
    {
      name: "process_cpu_seconds_total",
      type: "counter",
      help: "CPU time of the process",
      value: (cpu.user + cpu.system) / 1e6
    },
    { name: "process_resident_memory_bytes", type: "gauge", help: "Resident memory", value: memory.rss },
    { name: "process_heap_bytes", type: "gauge", help: "JavaScript heap in use", value: memory.heapUsed },
    {
      name: "process_external_memory_bytes",
      type: "gauge",
      help: "Memory of buffers outside the heap",
      value: memory.external
    },
    {
      name: "process_start_time_seconds",
      type: "gauge",
      help: "When the process started, in seconds since 1970",
      value: performance.timeOrigin / 1_000
    },
    {
      name: "contentflow_build_info",
      type: "gauge",
      help: "1, with the version of the worker and the runtime that runs it",
      value: 1,
      labels: { version, runtime }
    },
    {
      name: "process_uptime_seconds",
      type: "gauge",
      help: "Seconds since the process started",
      value: process.uptime()
    }
  ]
}
