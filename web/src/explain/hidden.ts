import { operationIn } from '../graphql/document';
import { parse, type GraphQLSchema } from 'graphql';
import type { Answer, Path, Request } from '../graphql/send';
import { fieldAt } from '../schema/fieldAt';
import { ruleOf, type Audience } from '../schema/rules';

/** A value that the server hid: its field, who sees it, and the caller's relations to the record. */
export type Hidden = { name: string; audience: Audience | undefined; relations: string[] };

/** The hidden values of an answer, by the key of the place where the answer has null. */
export type HiddenValues = Map<string, Hidden>;

export const keyOf = (path: Path): string => JSON.stringify(path);

/** Finds the values that were hidden in the answer to a question, in the order of the answer. */
export function hiddenIn(answer: Answer, question: Request, schema: GraphQLSchema | undefined): HiddenValues {
  const forbidden = (answer.errors ?? []).filter(error => error.extensions?.code === 'FORBIDDEN_FIELD');
  const paths = [...forbidden.map(({ path }) => path ?? []), ...(answer.extensions?.redacted ?? [])];
  const fieldOf = fields(question, schema);
  return new Map(
    paths.map(path => {
      const found = fieldOf(path);
      const hidden = {
        name: found ? `${found.type.name}.${found.field.name}` : path.join('.'),
        audience: found && schema ? ruleOf(schema, found.field).read : undefined,
        relations: relationsAt(path, answer),
      };
      return [keyOf(placeOf(path, answer)), hidden];
    }),
  );
}

/** Says who sees a hidden value, and what the caller is: you, or the one with the name. */
export function reason({ audience, relations }: Hidden, name?: string): string {
  if (!audience) {
    return `The server hides this value from ${name ?? 'you'}.`;
  }
  const caller = relations.length > 0 ? `; to this record ${name ? `${name} is` : 'you are'} ${listed.format(relations)}` : '';
  return `For ${audience.name} only: ${lowerFirst(audience.words.replace(/\.$/, ''))}${caller}.`;
}

function fields({ query, operationName }: Request, schema: GraphQLSchema | undefined) {
  const operation = operationIn(query, operationName);
  if (!operation || !schema) {
    return () => undefined;
  }
  const document = parse(query);
  return (path: Path) => fieldAt(schema, document, operation, path);
}

// A hidden value that may not be null makes the object around it null.
function placeOf(path: Path, { data }: Answer): Path {
  let value: any = data;
  for (const [depth, step] of path.entries()) {
    if (value === null || value === undefined) {
      return path.slice(0, depth);
    }
    value = value[step];
  }
  return path;
}

// The caller's relations to the record, if the query selects viewer.relations. ANYONE is omitted.
function relationsAt(path: Path, { data }: Answer): string[] {
  const record = path.slice(0, -1).reduce<any>((value, step) => value?.[step], data);
  const names: unknown = record?.viewer?.relations;
  return Array.isArray(names) ? names.filter(name => name !== 'ANYONE') : [];
}

const listed = new Intl.ListFormat('en-GB');

const lowerFirst = (text: string) => text.charAt(0).toLowerCase() + text.slice(1);
