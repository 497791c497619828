#!/bin/sh
# The pipeline benchmark on Node. On Deno: deno run -A test/bench/runner.ts
set -eu
cd "$(dirname "$0")/../.."
out=node_modules/.cache/bench/runner.mjs
npx esbuild test/bench/runner.ts --bundle --platform=node --format=esm --packages=external --outfile="$out" --log-level=warning
exec node --input-type=module -e "const { main } = await import('$PWD/$out'); await main(console.log)"
