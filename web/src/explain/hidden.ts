import { getOperationAST, parse, type GraphQLSchema } from 'graphql';
import type { Answer, Path } from '../graphql/send';
import { fieldAt } from '../schema/fieldAt';
import { ruleOf, type Audience } from '../schema/rules';

/** The request of an answer. */
export type Asked = { schema: GraphQLSchema | undefined; query: string; operationName: string | null };

type Hidden = { name: string; audience: Audience | undefined; relations: string[] };

const shownNames = 3;

/** Explains which values were hidden in an answer, who sees them, and what @redact changes. */
export function explainHidden(answer: Answer, asked: Asked): string | undefined {
  const forbidden = (answer.errors ?? []).filter(error => error.extensions?.code === 'FORBIDDEN_FIELD');
  const redacted = answer.extensions?.redacted ?? [];
  const paths = [...forbidden.map(({ path }) => path ?? []), ...redacted];
  if (paths.length === 0) {
    return undefined;
  }
  const hidden = paths.map(path => hiddenAt(path, answer, asked));
  const means = redacted.length > 0 ? 'Because of @redact there are no errors: see extensions.redacted.' : 'With @redact there are no errors.';
  return [count(hidden), ...reasons(hidden), means].join(' ');
}

function count(hidden: Hidden[]): string {
  const names = [...new Set(hidden.map(({ name }) => name))];
  const rest = names.length > shownNames ? ` and ${names.length - shownNames} more` : '';
  const subject = hidden.length === 1 ? '1 value is' : `${hidden.length} values are`;
  return `${subject} hidden from you (null): ${names.slice(0, shownNames).join(', ')}${rest}.`;
}

// One sentence for each audience that the caller does not belong to.
function reasons(hidden: Hidden[]): string[] {
  const sentences = new Map<string, string>();
  for (const { audience, relations } of hidden) {
    if (audience && !sentences.has(audience.name)) {
      const you = relations.length > 0 ? `; to this record you are ${relations.join(' and ')}` : '';
      sentences.set(audience.name, `For ${audience.name} only: ${lowerFirst(audience.words.replace(/\.$/, ''))}${you}.`);
    }
  }
  return [...sentences.values()];
}

function hiddenAt(path: Path, answer: Answer, asked: Asked): Hidden {
  const found = asked.schema && foundField(asked.schema, path, asked);
  return {
    name: found ? `${found.type.name}.${found.field.name}` : path.join('.'),
    audience: found && asked.schema ? ruleOf(asked.schema, found.field).read : undefined,
    relations: relationsAt(path, answer),
  };
}

function foundField(schema: GraphQLSchema, path: Path, { query, operationName }: Asked) {
  try {
    const document = parse(query);
    const operation = getOperationAST(document, operationName) ?? getOperationAST(document);
    return operation ? fieldAt(schema, document, operation, path) : undefined;
  } catch {
    return undefined; // the query was edited and is not a valid document at the moment
  }
}

// The caller's relations to the record, if the query selects viewer.relations. ANYONE is omitted.
function relationsAt(path: Path, { data }: Answer): string[] {
  const record = path.slice(0, -1).reduce<any>((value, step) => value?.[step], data);
  const names: unknown = record?.viewer?.relations;
  return Array.isArray(names) ? names.filter(name => name !== 'ANYONE') : [];
}

const lowerFirst = (text: string) => text.charAt(0).toLowerCase() + text.slice(1);
