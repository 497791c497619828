# Two images of the same worker: `docker build --target node .` (the default) and `docker build --target deno .`.
# Both run as user 10001, whom no name has, and write only below /tmp and the mount for temporary documents. LICENSES.txt and sbom.cdx.json in /app say what is inside.
ARG VERSION=0.2.0
ARG REVISION=unknown

FROM node:24-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json tsconfig.json LICENSE ./
RUN npm ci --ignore-scripts
COPY src ./src
# One file a start-up path instead of thousands of modules: a cold start costs a fifth.
RUN npm run bundle && node src/deploy/image.mjs /out

FROM denoland/deno:debian-2.9.6 AS deno
ARG VERSION
ARG REVISION
LABEL org.opencontainers.image.title="contentflow-worker" \
  org.opencontainers.image.description="Durable content-processing worker for ContentFlow" \
  org.opencontainers.image.licenses="MIT" \
  org.opencontainers.image.source="https://github.com/Azure/contentflow" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}"
WORKDIR /app
ENV DENO_NO_UPDATE_CHECK=1 NUM_PROCESSING_WORKERS=4 NUM_SOURCE_WORKERS=2 LOG_LEVEL=INFO LOG_FORMAT=json
COPY --from=build --chown=root:root /out ./
RUN mkdir -p /app/tmp && chown 10001:10001 /app/tmp
USER 10001:10001
EXPOSE 8099
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
  CMD ["deno", "eval", "const r = await fetch(`http://127.0.0.1:${Deno.env.get('API_PORT') ?? 8099}/health/live`); Deno.exit(r.ok ? 0 : 1)"]
# The worker process itself gets the signals: no shell, no package manager in between.
ENTRYPOINT ["deno", "run", "--no-prompt", "--cached-only", "--allow-env", "--allow-net", "--allow-sys", "--allow-read", "--allow-write=/app/tmp,/tmp,/data", "--allow-ffi=/app/node_modules/@photostructure/sqlite", "/app/main.js"]
CMD ["start"]

FROM node:24-bookworm-slim AS node
ARG VERSION
ARG REVISION
LABEL org.opencontainers.image.title="contentflow-worker" \
  org.opencontainers.image.description="Durable content-processing worker for ContentFlow" \
  org.opencontainers.image.licenses="MIT" \
  org.opencontainers.image.source="https://github.com/Azure/contentflow" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}"
WORKDIR /app
ENV NODE_ENV=production NUM_PROCESSING_WORKERS=4 NUM_SOURCE_WORKERS=2 LOG_LEVEL=INFO LOG_FORMAT=json
COPY --from=build --chown=root:root /out ./
RUN mkdir -p /app/tmp && chown 10001:10001 /app/tmp
USER 10001:10001
EXPOSE 8099
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.API_PORT ?? 8099}/health/live`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/app/main.js"]
CMD ["start"]
