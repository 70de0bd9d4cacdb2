// Statements prepared by name, on a pool of connections.

import pg from "pg";

// A timestamp comes as 2026-01-31 09:30:00.123456+00, in the session's time
// zone. Converting it to a Date and back would only cost time.
pg.types.setTypeParser(pg.types.builtins.TIMESTAMPTZ, (text) => `${text.slice(0, 10)}T${text.slice(11, -3)}Z`);
pg.types.setTypeParser(pg.types.builtins.DATE, (text) => text);

// openStatements returns a function that runs a statement and returns its rows.
export function openStatements(options) {
  const pool = new pg.Pool(options);
  const names = new Map();
  return async (text, values) => {
    let name = names.get(text);
    if (!name) {
      name = `s${names.size}`;
      names.set(text, name);
    }
    return (await pool.query({ name, text, values })).rows;
  };
}
