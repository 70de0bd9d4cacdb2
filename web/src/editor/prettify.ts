/** The question and its variables in the usual form. A text that is not valid stays as it is. */
export async function prettified({ query, variables }: { query: string; variables: string }) {
  // Loaded at the first use: it keeps the comments, which graphql-js does not.
  const [{ format }, graphql] = await Promise.all([import('prettier/standalone'), import('prettier/plugins/graphql')]);
  const pretty = await format(query, { parser: 'graphql', plugins: [graphql] }).catch(() => query);
  return { query: pretty, variables: prettyJson(variables) };
}

function prettyJson(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
