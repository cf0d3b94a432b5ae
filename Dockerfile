# Caisson in a container: docker build -t caisson .  docs/deploying.md shows how to run it with a read-only root.
FROM node:24-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
# No install script runs as root here: the compiler and the bundler bring ready binaries.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN npm run build && npm prune --omit=dev --ignore-scripts

FROM node:24-bookworm-slim
ENV NODE_ENV=production XDG_STATE_HOME=/var/lib
WORKDIR /app
COPY --from=build /build/package.json ./
COPY --from=build /build/node_modules ./node_modules
COPY --from=build /build/dist/src ./dist/src
COPY --from=build /build/dist/bench ./dist/bench
# Numeric, so that Kubernetes can see that it is not root.
RUN install -d -m 0700 -o 10001 -g 10001 /var/lib/caisson
USER 10001:10001
# Resume secret, admin token, tokens file and heap snapshots: the only place that is written to.
VOLUME /var/lib/caisson
EXPOSE 8080
# The private listener stays on the container's own loopback, where this check reaches it.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD ["node", "-e", "fetch('http://127.0.0.1:9190/livez').then((a) => process.exit(a.ok ? 0 : 1), () => process.exit(1))"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "/app/dist/src/cli/main.js"]
CMD ["serve", "--listen", "0.0.0.0:8080", "--tokens", "/var/lib/caisson/tokens.json"]
