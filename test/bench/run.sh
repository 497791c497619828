#!/bin/sh
# The drain benchmark on Node, which needs it as JavaScript. On Deno: deno run -A test/bench/drain.ts
set -eu
cd "$(dirname "$0")/../.."
out=node_modules/.cache/bench
npx esbuild test/bench/drain.ts test/bench/EmulatorProcess.ts --bundle --splitting --platform=node --format=esm \
  --packages=external --out-extension:.js=.mjs --outdir="$out" --log-level=warning
exec node "$out/drain.mjs" "$@"
