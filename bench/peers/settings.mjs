// Settings and code that both peers share. It must be imported before their
// libraries, which read NODE_ENV and GRAPHILE_ENV as they load.

process.env.NODE_ENV = "production";
process.env.GRAPHILE_ENV = "production";

function required(name) {
  const value = process.env[name];
  if (!value) {
    console.error(`${name} is not set`);
    process.exit(2);
  }
  return value;
}

export const address = { host: "127.0.0.1", port: Number(required("PORT")) };

// pool is for pg, the client that both use: as many connections as CareGraph
// takes by default, and its time zone.
export const pool = {
  connectionString: required("DATABASE_URL"),
  max: 10,
  options: "-c timezone=UTC",
};
