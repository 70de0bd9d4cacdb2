# Two images: `docker build --target server .` needs a DATABASE_URL, `--target all` brings
# PostgreSQL. Not built by our CI; see docs/operations.md.
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY . .
RUN make binary OUT=/caregraph

FROM scratch AS server
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /caregraph /usr/bin/caregraph
USER 65532:65532
ENV CAREGRAPH_ADDR=0.0.0.0:8080 CAREGRAPH_DATA=/data
EXPOSE 8080
HEALTHCHECK CMD ["/usr/bin/caregraph", "health"]
ENTRYPOINT ["/usr/bin/caregraph"]

FROM debian:12-slim AS all
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates postgresql-15 && rm -rf /var/lib/apt/lists/*
COPY --from=build /caregraph /usr/bin/caregraph
USER postgres
ENV CAREGRAPH_ADDR=0.0.0.0:8080 CAREGRAPH_DATA=/var/lib/postgresql/caregraph
VOLUME /var/lib/postgresql
HEALTHCHECK CMD ["caregraph", "health"]
ENTRYPOINT ["caregraph"]
