export * from "../../src/testing/Eventually.ts"
