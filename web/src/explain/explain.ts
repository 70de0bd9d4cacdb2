import type { Answer } from '../graphql/send';
import { explainHidden, type Asked } from './hidden';

/** Explains what was hidden or refused in an answer, and why; undefined if nothing was. */
export function explain(answer: Answer, asked: Asked): string | undefined {
  const sentences = [refused(answer), inTheWay(answer), absent(answer), explainHidden(answer, asked)];
  return sentences.filter(Boolean).join(' ') || undefined;
}

const refusals: Record<string, string> = {
  UNAUTHENTICATED: 'You are not signed in: run the example Register, or sign in above.',
  FORBIDDEN: 'This account may not call this: the docs of the field say who may.',
  NO_ANSWER: 'The server did not answer.',
};

function refused({ errors = [] }: Answer): string | undefined {
  return errors.map(error => refusals[error.extensions?.code ?? '']).find(Boolean);
}

function inTheWay({ data }: Answer): string | undefined {
  const faults = Object.values(data ?? {}).flatMap((payload: any) => payload?.userErrors ?? []);
  const codes = faults.map(({ code, field }) => (field ? `${code} at ${field.join('.')}` : code)).filter(Boolean);
  return codes.length > 0 ? `Nothing was changed: ${codes.join(', ')}.` : undefined;
}

// A record that the caller may not see looks like one that does not exist.
function absent({ data, errors = [] }: Answer): string | undefined {
  const names = Object.entries(data ?? {})
    .filter(([name, value]) => value === null && !errors.some(({ path }) => path?.[0] === name))
    .map(([name]) => name);
  return names.length > 0 ? `${names.join(' and ')}: there is no such record for you.` : undefined;
}
