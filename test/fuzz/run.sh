#!/bin/sh
# Fuzzes the readers on Node. On Deno: deno run -A test/fuzz/main.ts
set -eu
cd "$(dirname "$0")/../.."
out=node_modules/.cache/fuzz
npx esbuild test/fuzz/main.ts test/fuzz/child.ts --bundle --platform=node --format=esm --packages=external --outdir="$out" --out-extension:.js=.mjs --log-level=warning
exec node "$out/main.mjs" "$@"
