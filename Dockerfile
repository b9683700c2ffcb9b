# popshare in a container: Node, the sources, the configuration that comes along. No build step, no root, nothing that
# it writes but the data folder and /tmp. docs/operations.md tells how it is run.
FROM node:24-slim AS packages
WORKDIR /srv/popshare
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev

FROM node:24-slim
ENV NODE_ENV=production \
    POPSHARE_CONFIG=/srv/popshare/config \
    POPSHARE_DATA=/var/lib/popshare \
    POPSHARE_DROP=/srv/drop \
    POPSHARE_HOST=0.0.0.0
WORKDIR /srv/popshare
COPY --from=packages /srv/popshare/node_modules node_modules
COPY package.json LICENSE ./
COPY bin bin
COPY config config
COPY src src
RUN install --directory --owner=node --group=node --mode=0700 /var/lib/popshare && install --directory /srv/drop
USER node
VOLUME /var/lib/popshare
EXPOSE 8080
HEALTHCHECK --interval=5m --timeout=60s --start-period=2m CMD ["node", "bin/popshare.js", "doctor"]
ENTRYPOINT ["node", "--max-old-space-size=256", "bin/popshare.js"]
CMD ["start"]
