export * from "../../src/testing/FaultProxy.ts"
