export * from "../../src/testing/VirtualClock.ts"
