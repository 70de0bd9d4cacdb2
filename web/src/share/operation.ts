import { Kind, parse, print, separateOperations, stripIgnoredCharacters, type DocumentNode } from 'graphql';
import { operationIn } from '../graphql/document';
import type { Request as Question } from '../graphql/send';

/** The parsed document; undefined while it is not valid, and then the texts contain it as it is. */
function parsed(query: string): DocumentNode | undefined {
  try {
    return parse(query);
  } catch {
    return undefined;
  }
}

/** The document without comments and needless space. */
export function onOneLine(query: string): string {
  return parsed(query) ? stripIgnoredCharacters(query) : query;
}

/** Whether the question changes data. */
export const isMutation = (question: Question) => operationIn(question.query, question.operationName)?.operation === 'mutation';

/** Whether the question may be sent twice: not a change, nor a stream. */
export const isRepeatable = (question: Question) => (operationIn(question.query, question.operationName)?.operation ?? 'query') === 'query';

/** The document with only the operation that the question names: Apollo, urql and Relay take no other. */
export function oneOperation(question: Question): string {
  const separate = Object.entries(separateOperations(parsed(question.query) ?? { kind: Kind.DOCUMENT, definitions: [] }));
  const [, document] = separate.find(([name]) => name === question.operationName) ?? separate[0] ?? [];
  return separate.length > 1 && document ? print(document) : question.query;
}

/** The document with the name that Relay wants: it ends in Query or Mutation. */
export function relayOperation(question: Question): { name: string; document: string } {
  const document = oneOperation(question);
  const operation = operationIn(document);
  if (!operation?.loc) {
    return { name: 'CareGraphQuery', document };
  }
  const kind = operation.operation === 'mutation' ? 'Mutation' : 'Query';
  const given = operation.name?.value ?? 'CareGraph';
  const name = given.endsWith(kind) ? given : given + kind;
  const keyword = document.startsWith(operation.operation, operation.loc.start) ? operation.operation.length : 0;
  const { start, end } = operation.name?.loc ?? { start: operation.loc.start, end: operation.loc.start + keyword };
  const named = operation.name ? name : `${operation.operation} ${name} `;
  return { name, document: document.slice(0, start) + named + document.slice(end) };
}
