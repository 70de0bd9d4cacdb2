// PostGraphile on CareGraph's tables: the Amber preset with simplified names,
// served by Grafserv on Node's own HTTP server.

import "./node20.mjs";
import { address, pool } from "./settings.mjs";

import { createServer } from "node:http";

import { PgSimplifyInflectionPreset } from "@graphile/simplify-inflection";
import { postgraphile } from "postgraphile";
import { makePgService } from "postgraphile/adaptors/pg";
import { grafserv } from "postgraphile/grafserv/node";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";
import { jsonPgSmartTags } from "postgraphile/utils";

// By default PostGraphile filters by indexed columns only.
const filters = jsonPgSmartTags({
  version: 1,
  config: {
    attribute: {
      "public.patients.deleted_at": { tags: { behavior: "+filterBy" } },
      "public.mappings.is_active": { tags: { behavior: "+filterBy" } },
    },
  },
});

const { connectionString, ...poolConfig } = pool;
const instance = postgraphile({
  extends: [PostGraphileAmberPreset, PgSimplifyInflectionPreset],
  plugins: [filters],
  pgServices: [makePgService({ connectionString, poolConfig, schemas: ["public"], pubsub: false })],
  grafserv: {
    graphiql: false,
    graphiqlOnGraphQLGET: false,
    websockets: false,
    outputDataAsString: true,
  },
});

await instance.getSchema();

const server = createServer({ keepAliveTimeout: 72_000 });
await instance.createServ(grafserv).addTo(server);
server.listen(address);
