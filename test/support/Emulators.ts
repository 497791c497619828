export * from "../../src/testing/Emulators.ts"
