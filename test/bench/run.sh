#!/bin/sh
# A benchmark on Node, which needs it as JavaScript: run.sh drain|runner|primitives|executors|steps|listing, with its arguments.
# On Deno: deno run -A test/bench/drain.ts, and so on.
set -eu
cd "$(dirname "$0")/../.."
name=$1
shift
out=node_modules/.cache/bench/$name
npx esbuild "test/bench/$name.ts" test/bench/EmulatorProcess.ts src/threads/Parse.worker.ts --bundle --splitting --platform=node \
  --format=esm --packages=external --entry-names='[name]' --outdir="$out" --log-level=warning
echo '{ "type": "module" }' >"$out/package.json"
exec node "$out/$name.js" "$@"
