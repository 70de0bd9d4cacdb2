import { Kind, OperationTypeNode, parse, print, visit, type OperationDefinitionNode } from 'graphql';

/** The operations of a document; none while it is not valid GraphQL. */
export function operationsIn(query: string): OperationDefinitionNode[] {
  try {
    return parse(query).definitions.filter(node => node.kind === Kind.OPERATION_DEFINITION);
  } catch {
    return []; // the server reports the error
  }
}

/** The operation with the name, or the first one. */
export function operationIn(query: string, name?: string | null): OperationDefinitionNode | undefined {
  const operations = operationsIn(query);
  return operations.find(operation => operation.name?.value === name) ?? operations[0];
}

/** The name of the first operation, also while the document is not valid. */
export function nameIn(query: string): string | undefined {
  return /^\s*(?:query|mutation|subscription)\s+(\w+)/m.exec(query)?.[1];
}

/** The document with "" for every text in it, and without comments; undefined while it is not valid GraphQL. */
export function withoutTexts(query: string): string | undefined {
  try {
    return print(visit(parse(query), { StringValue: () => ({ kind: Kind.STRING, value: '' }) }));
  } catch {
    return undefined;
  }
}

/** A subscription to the answer of a query, by the field live; undefined for other operations. */
export function asLive(query: string, name?: string | null): string | undefined {
  const operation = operationIn(query, name);
  if (operation?.operation !== OperationTypeNode.QUERY) {
    return undefined;
  }
  const { start, end } = operation.selectionSet.loc!;
  const head = query.slice(operation.loc!.start, start).replace(/^query\s*/, '');
  const others = query.slice(0, operation.loc!.start).replace(/^#.*\n/gm, '') + query.slice(end);
  return `subscription Live${head}{ live ${query.slice(start, end)} } ${others}`;
}

/** The document with @redact on the operation; undefined if it has it, or is not a query. */
export function withRedact(query: string, name?: string | null): string | undefined {
  const operation = operationIn(query, name);
  const isRedacted = operation?.directives?.some(directive => directive.name.value === 'redact');
  if (operation?.operation !== OperationTypeNode.QUERY || isRedacted) {
    return undefined;
  }
  const { start } = operation.selectionSet.loc!;
  const keyword = operation.loc!.start === start ? 'query ' : ''; // the short form has no keyword
  return `${query.slice(0, start)}${keyword}@redact ${query.slice(start)}`;
}
