# Two images of the same worker: `docker build --target node .` (the default) and `docker build --target deno .`.
# Both run as an unprivileged user and write only below /tmp and the mount for temporary documents.

FROM node:22-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json tsconfig.json ./
RUN npm ci --ignore-scripts
COPY src ./src
# One file a start-up path instead of thousands of modules: a cold start costs a fifth.
RUN npm run bundle
# What the bundle leaves outside: the thread pool loads a file of its own package, SQLite its binary for this system.
RUN mkdir -p /out/node_modules/@photostructure && cp -r node_modules/piscina node_modules/node-gyp-build /out/node_modules/ \
  && cp -r node_modules/@photostructure/sqlite /out/node_modules/@photostructure/ \
  && cd /out/node_modules/@photostructure/sqlite && rm -rf src prebuilds/darwin-* prebuilds/win32-* && cd /build \
  && cp -r bundle/. /out/ \
  && echo '{"type":"module","dependencies":{"piscina":"*","@photostructure/sqlite":"*"}}' > /out/package.json

FROM denoland/deno:debian-2.9.6 AS deno
WORKDIR /app
ENV DENO_NO_UPDATE_CHECK=1 NUM_PROCESSING_WORKERS=4 NUM_SOURCE_WORKERS=2 LOG_LEVEL=INFO LOG_FORMAT=json
COPY --from=build --chown=root:root /out ./
RUN mkdir -p /app/tmp && chown deno:deno /app/tmp
USER deno
EXPOSE 8099
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
  CMD ["deno", "eval", "const r = await fetch(`http://127.0.0.1:${Deno.env.get('API_PORT') ?? 8099}/health/live`); Deno.exit(r.ok ? 0 : 1)"]
# The worker process itself gets the signals: no shell, no package manager in between.
ENTRYPOINT ["deno", "run", "--no-prompt", "--cached-only", "--allow-env", "--allow-net", "--allow-sys", "--allow-read", "--allow-write=/app/tmp,/tmp", "/app/main.js"]
CMD ["start"]

FROM node:22-bookworm-slim AS node
WORKDIR /app
ENV NODE_ENV=production NUM_PROCESSING_WORKERS=4 NUM_SOURCE_WORKERS=2 LOG_LEVEL=INFO LOG_FORMAT=json
COPY --from=build --chown=root:root /out ./
RUN mkdir -p /app/tmp && chown node:node /app/tmp
USER node
EXPOSE 8099
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.API_PORT ?? 8099}/health/live`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/app/main.js"]
CMD ["start"]
