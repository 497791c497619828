import process from "node:process"
import type { Sample } from "./Prometheus.ts"

export const id: number = process.pid

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
      name: "process_uptime_seconds",
      type: "gauge",
      help: "Seconds since the process started",
      value: process.uptime()
    }
  ]
}
