# Pinned to the version in .deno-version; tests/repository_test.ts compares them.
FROM denoland/deno:2.9.6 AS build
WORKDIR /app
COPY deno.json deno.lock ./
RUN deno install --frozen
COPY config.ts log.ts main.ts ./
COPY db/ db/
COPY realtime/ realtime/
COPY routes/ routes/
COPY text/ text/
COPY islands/ islands/
COPY static/ static/
RUN deno task build
# The bundler, what it has bundled, and what only tests use stay behind.
RUN cd node_modules && rm -rf esbuild swagger-ui-dist playwright-core axe-core smtp-server ajv \
  ajv-formats @asyncapi @redocly openapi-fetch openapi-typescript \
  .deno/esbuild@* .deno/@esbuild* .deno/swagger-ui-dist@* .deno/playwright-core@* .deno/axe-core@* \
  .deno/smtp-server@* .deno/ajv@* .deno/ajv-formats@* .deno/@asyncapi* .deno/@stoplight* \
  .deno/es-abstract@* .deno/lodash@* .deno/immer@* .deno/nimma@* .deno/js-yaml@* \
  .deno/jsonpath-plus@* .deno/@redocly* .deno/openapi-fetch@* .deno/openapi-typescript* \
  .deno/typescript@*

FROM denoland/deno:2.9.6
WORKDIR /app
COPY --from=build /app ./
RUN mkdir -m 700 /data && chown deno:deno /data
USER deno
ENV CHATKET_ENV=production DATA_DIR=/data PORT=3000
VOLUME /data
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["deno", "eval", "--no-config", "if (!(await fetch(`http://127.0.0.1:${Deno.env.get('PORT')}/health`)).ok) Deno.exit(1)"]
# The same permissions as `deno task start`. SIGTERM stops the server in order within 10 seconds.
CMD ["deno", "run", "-q", "-P", "--no-prompt", "--cached-only", "--node-modules-dir=manual", "--allow-read=static,db,node_modules,/data,/var/run/postgresql", "--allow-write=/data,/var/run/postgresql", "main.ts"]
