// Shows an answer as JSON, marks hidden values, and explains them.

import { codes } from "./api.js";

// render returns the nodes of an answer for a <pre>, data first.
export function render(answer) {
  const hidden = new Set(hiddenPaths(answer).map((path) => JSON.stringify(["data", ...path])));
  const out = document.createDocumentFragment();
  const { data, ...rest } = answer;
  write(out, data === undefined ? rest : { data, ...rest }, [], hidden);
  return out;
}

function hiddenPaths(answer) {
  const refused = (answer.errors ?? []).filter((error) => error.extensions?.code === "FORBIDDEN_FIELD");
  return [...refused.map((error) => error.path ?? []), ...(answer.extensions?.redacted ?? [])];
}

// write puts short values on one line, so that an answer fits on a screen.
function write(out, value, path, hidden, flat = false) {
  if (value === null || typeof value !== "object") {
    out.append(scalar(value, hidden.has(JSON.stringify(path))));
    return;
  }
  const list = Array.isArray(value);
  const [open, close] = list ? "[]" : "{}";
  const short = flat || (path.length > 0 && JSON.stringify(value).length <= 56);
  const space = short ? (list ? "" : " ") : `\n${"  ".repeat(path.length)}`;
  const entries = Object.entries(value);
  out.append(open);
  entries.forEach(([key, item], i) => {
    out.append(i ? "," : "", short ? (i ? " " : space) : `${space}  `);
    if (!list) out.append(mark("key", JSON.stringify(key)), ": ");
    write(out, item, [...path, list ? i : key], hidden, short);
  });
  out.append(entries.length ? space : "", close);
}

function scalar(value, hidden) {
  if (hidden) return mark("hidden", JSON.stringify(value));
  if (value === null) return mark("null", "null");
  // Tokens are secrets: show only enough to distinguish them.
  if (/^eyJ[\w-]+\.[\w-]+\.[\w-]+$/.test(value)) return mark("string", `"${value.slice(0, 8)}…${value.slice(-6)}"`);
  return mark(typeof value, JSON.stringify(value));
}

function mark(className, text) {
  const span = document.createElement("span");
  span.className = className;
  span.textContent = text;
  return span;
}

// explain returns one line for each thing in the answer that needs an explanation.
export function explain(answer, who) {
  const found = new Set(codes(answer));
  const redacted = answer.extensions?.redacted?.length ?? 0;
  const lines = [];
  if (found.has("FORBIDDEN_FIELD")) {
    const count = codes(answer).filter((code) => code === "FORBIDDEN_FIELD").length;
    lines.push(`FORBIDDEN_FIELD: ${values(count)} hidden from ${who} and null; see path. All other values are valid.`);
  }
  if (redacted) {
    lines.push(`extensions.redacted: ${values(redacted)} hidden from ${who} and null; @redact suppresses the errors.`);
  }
  if (found.has("UNAUTHENTICATED")) {
    lines.push("UNAUTHENTICATED: this needs an account. Register, sign in, or choose one above.");
  }
  if (Object.values(answer.data ?? {}).some((payload) => payload?.userErrors?.length)) {
    lines.push("userErrors: why the mutation changed nothing.");
  }
  return lines;
}

const values = (count) => (count === 1 ? "1 value is" : `${count} values are`);
