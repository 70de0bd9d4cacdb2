import { Kind, parse } from 'graphql';
import type { Request } from './send';

/**
 * GraphiQL learns the name of an operation a moment after its tab was opened.
 * Who is faster than that would send the name of the tab before.
 */
export function withRightName(request: Request): Request {
  const names = operationNames(request.query);
  const isRight = names.includes(request.operationName ?? '');
  return isRight || names.length !== 1 ? request : { ...request, operationName: names[0] };
}

function operationNames(query: string): string[] {
  try {
    return parse(query).definitions.flatMap(node => (node.kind === Kind.OPERATION_DEFINITION && node.name ? [node.name.value] : []));
  } catch {
    return []; // the server says best what is wrong
  }
}
