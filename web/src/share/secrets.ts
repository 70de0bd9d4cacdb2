// What must not leave the page with a question: passwords, codes and tokens, which some operations take as arguments.

const name = '\\w*(?:password|otp|code|secret|token|refresh|device|access|key|authorization)\\w*';

const secret = new RegExp(`^${name}$`, 'i');
const literal = new RegExp(`\\b(${name}\\s*:\\s*)(?:"""[^]*?"""|"(?:[^"\\\\\\n]|\\\\.)*")`, 'gi');
const argument = new RegExp(`\\b${name}\\s*:\\s*\\$(\\w+)`, 'gi');
const token = /\beyJ[\w-]+\.[\w-]+\.[\w-]*/g;

/** The document with empty texts in the place of secrets. */
export function withoutSecrets(query: string): string {
  return query.replace(literal, '$1""').replace(token, '');
}

/** The variables with empty texts in the place of secrets: known by name, by the argument that takes them, or by form. */
export function variablesWithoutSecrets(query: string, variables: Record<string, unknown>): Record<string, unknown> {
  const taken = new Set(Array.from(query.matchAll(argument), ([, variable]) => variable));
  const hidden = (key: string, depth: number) => secret.test(key) || (depth === 0 && taken.has(key));
  const clean = (value: unknown, depth: number): unknown => {
    if (typeof value === 'string') {
      return value.replace(token, '');
    }
    if (Array.isArray(value)) {
      return value.map(one => clean(one, depth + 1));
    }
    return value && typeof value === 'object' ? cleanObject(value, depth) : value;
  };
  const cleanObject = (object: object, depth: number) =>
    Object.fromEntries(Object.entries(object).map(([key, value]) => [key, hidden(key, depth) ? '' : clean(value, depth + 1)]));
  return cleanObject(variables, 0);
}
