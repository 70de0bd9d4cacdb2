import type { Request as Question } from '../graphql/send';
import { variablesWithoutSecrets, withoutSecrets } from './secrets';

/**
 * A link to the page that opens a question: document, variables and the name of the operation. They are in the fragment,
 * which browsers do not send to servers. It contains no account, token or header, and no password or code.
 */
export function shareLink({ query, variables = {}, operationName }: Question, url: string): string {
  const parts = new URLSearchParams({ query: withoutSecrets(query) });
  if (Object.keys(variables).length > 0) {
    parts.set('variables', JSON.stringify(variablesWithoutSecrets(query, variables)));
  }
  if (operationName) {
    parts.set('operation', operationName);
  }
  const link = new URL(url);
  link.hash = parts.toString();
  return link.href;
}

/** The question of a link's fragment; null if it has none. Variables that cannot be read are left out. */
export function readShareLink(hash: string): Question | null {
  const parts = new URLSearchParams(hash.replace(/^#/, ''));
  const query = parts.get('query');
  if (!query) {
    return null;
  }
  const operationName = parts.get('operation');
  return { query, variables: objectIn(parts.get('variables')), ...(operationName && { operationName }) };
}

function objectIn(text: string | null): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text ?? '{}');
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
