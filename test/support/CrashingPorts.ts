export * from "../../src/testing/CrashingPorts.ts"
