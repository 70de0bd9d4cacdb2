// The calls of this page to the server.

// ask sends one operation. It throws only if the answer is not GraphQL.
export async function ask({ query, variables = {}, headers = {} }, token) {
  const sent = new Headers({
    "Content-Type": "application/json",
    Accept: "application/graphql-response+json, application/json;q=0.9",
  });
  if (token) sent.set("Authorization", `Bearer ${token}`);
  for (const [name, value] of Object.entries(headers)) sent.set(name, value);
  const began = performance.now();
  const response = await fetch("/graphql", {
    method: "POST",
    headers: sent,
    body: JSON.stringify({ query, variables }),
    credentials: "omit",
  });
  const text = await response.text();
  return { status: response.status, answer: parse(text, response.status), length: text.length, took: performance.now() - began };
}

function parse(text, status) {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`The answer is not JSON (status ${status}). Is there a proxy in between?`);
  }
}

// codes lists the codes of an answer's top-level errors.
export const codes = (answer) => (answer.errors ?? []).map((error) => error.extensions?.code);

// payload returns the payload of a mutation with one root field, or throws its
// errors as a message for people.
export function payload({ answer }) {
  const [result] = Object.values(answer.data ?? {});
  const faults = result?.userErrors ?? answer.errors ?? [];
  if (faults.length || !result) throw new Error(faults.map((fault) => fault.message).join("\n") || "No answer came back.");
  return result;
}
