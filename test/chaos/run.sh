#!/bin/sh
# The chaos run on Node, which needs it as JavaScript; it runs the worker that was built. On Deno: deno run -A test/chaos/chaos.ts
set -eu
cd "$(dirname "$0")/../.."
npm run --silent build
out=node_modules/.cache/chaos
npx esbuild test/chaos/chaos.ts test/chaos/EmulatorHost.ts --bundle --splitting --platform=node --format=esm \
  --packages=external --out-extension:.js=.mjs --outdir="$out" --log-level=warning
exec node "$out/chaos.mjs" "$@"
