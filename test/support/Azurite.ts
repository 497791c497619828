export * from "../../src/testing/Azurite.ts"
