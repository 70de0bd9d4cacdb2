// Mercurius on CareGraph's tables: Fastify, documents compiled to JavaScript,
// and our own loaders for the edges.

import { address, pool } from "./settings.mjs";

import { readFileSync } from "node:fs";

import Fastify from "fastify";
import mercurius from "mercurius";

import { loadersOn, resolversOn } from "./mercurius/resolvers.mjs";
import { openStatements } from "./mercurius/statements.mjs";

const rows = openStatements(pool);

const app = Fastify({ logger: false });
await app.register(mercurius, {
  schema: readFileSync(new URL("mercurius/schema.graphql", import.meta.url), "utf8"),
  resolvers: resolversOn(rows),
  loaders: loadersOn(rows),
  jit: 1,
  graphiql: false,
});
await app.listen(address);
