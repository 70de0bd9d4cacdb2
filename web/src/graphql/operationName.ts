import { Kind, parse } from 'graphql';
import type { Request } from './send';

/**
 * GraphiQL updates the name of the operation a moment after a tab was opened.
 * Until then it would send the name of the previous tab.
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
    return []; // the server reports the error
  }
}
