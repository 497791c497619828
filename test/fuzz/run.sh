#!/bin/sh
# Fuzzes the readers of conditions and YAML on Node. On Deno: deno run -A test/fuzz/main.ts
set -eu
cd "$(dirname "$0")/../.."
out=node_modules/.cache/fuzz/main.mjs
npx esbuild test/fuzz/main.ts --bundle --platform=node --format=esm --packages=external --outfile="$out" --log-level=warning
exec node "$out" "$@"
