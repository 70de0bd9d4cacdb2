import type { Answer } from '../graphql/send';
import { explainFaults } from './faults';
import { reason, type Hidden, type HiddenValues } from './hidden';

/** What the line under an answer says. Its tone is good only if nothing was hidden, refused or wrong. */
export type Explanation = { tone: 'good' | 'partial' | 'fault'; text: string };

const shownNames = 3;

export function explain(answer: Answer, hidden: HiddenValues): Explanation {
  const faults = [explainFaults(answer.errors), inTheWay(answer)].filter(Boolean);
  const gaps = [absent(answer), ...explainHidden([...hidden.values()], answer)].filter(Boolean);
  if (faults.length + gaps.length === 0) {
    return { tone: 'good', text: ['Nothing was hidden or refused.', empty(answer)].filter(Boolean).join(' ') };
  }
  return { tone: faults.length > 0 ? 'fault' : 'partial', text: [...faults, ...gaps].join(' ') };
}

function inTheWay({ data }: Answer): string | undefined {
  const faults = Object.values(data ?? {}).flatMap((payload: any) => payload?.userErrors ?? []);
  const codes = faults.map(({ code, field }) => (field ? `${code} at ${field.join('.')}` : code)).filter(Boolean);
  const first = faults[0]?.message ? ` ${faults[0].message}` : '';
  return codes.length > 0 ? `Nothing was changed: ${codes.join(', ')}.${first}` : undefined;
}

// A record that the caller may not see looks like one that does not exist.
function absent({ data, errors = [] }: Answer): string | undefined {
  const names = Object.entries(data ?? {})
    .filter(([name, value]) => value === null && !errors.some(({ path }) => path?.[0] === name))
    .map(([name]) => name);
  return names.length > 0 ? `${names.join(' and ')}: there is no such record for you.` : undefined;
}

// A list without the records that others see looks like one that has none.
function empty({ data }: Answer): string | undefined {
  const isEmpty = (list: any) => [list?.totalCount, list?.nodes?.length, list?.edges?.length].includes(0);
  const names = Object.keys(data ?? {}).filter(name => isEmpty(data![name]));
  return names.length > 0 ? `A list has only what you may see, and you see none of: ${names.join(', ')}.` : undefined;
}

function explainHidden(hidden: Hidden[], { extensions }: Answer): string[] {
  if (hidden.length === 0) {
    return [];
  }
  const means = extensions?.redacted ? 'Because of @redact there are no errors: see extensions.redacted.' : 'With @redact there are no errors.';
  return [count(hidden), ...reasons(hidden), means];
}

function count(hidden: Hidden[]): string {
  const names = [...new Set(hidden.map(({ name }) => name))];
  const rest = names.length > shownNames ? ` and ${names.length - shownNames} more` : '';
  const subject = hidden.length === 1 ? '1 value is' : `${hidden.length} values are`;
  return `${subject} hidden from you: ${names.slice(0, shownNames).join(', ')}${rest}.`;
}

// One sentence for each audience that the caller does not belong to.
function reasons(hidden: Hidden[]): string[] {
  const sentences = new Map<string, string>();
  for (const value of hidden) {
    if (value.audience && !sentences.has(value.audience.name)) {
      sentences.set(value.audience.name, reason(value));
    }
  }
  return [...sentences.values()];
}
