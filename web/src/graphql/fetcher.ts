import type { Fetcher } from '@graphiql/toolkit';
import { adoptSessions } from '../accounts/adopt';
import { activeAccount } from '../accounts/accounts';
import { currentAccess, renew } from '../accounts/renewal';
import { actFor } from '../examples/actors';
import { exampleOf } from '../examples/examples';
import { remember } from '../examples/memory';
import { introspection, INTROSPECTION_NAME } from '../schema/schema';
import { noteAsked } from './asked';
import { withRightName } from './operationName';
import { bearer, send, type Answer, type Request } from './send';

/**
 * Sends GraphiQL's requests as the active account. It answers GraphiQL's
 * introspection query from the schema's text, because only that contains the
 * ownership rules.
 */
export const fetcher: Fetcher = async (params, options) => {
  if (params.operationName === INTROSPECTION_NAME) {
    return introspection();
  }
  const request = withRightName(params);
  const example = exampleOf(request.operationName);
  await actFor(example);
  const answer = await ask(request, options?.headers ?? {});
  adoptSessions(answer);
  remember(example, answer);
  return answer;
};

async function ask(request: Request, headers: Record<string, string>): Promise<Answer> {
  const account = activeAccount();
  const access = account && (await currentAccess(account.id));
  let answer = await send(request, { ...bearer(access), ...headers });
  if (account && access !== undefined && unauthenticated(answer)) {
    const renewed = await renew(account.id, access);
    if (renewed !== undefined) {
      answer = await send(request, { ...bearer(renewed), ...headers });
    }
  }
  noteAsked(answer, access === undefined ? undefined : account);
  return answer;
}

// A request whose answer has data is not repeated: part of a mutation may have
// run.
function unauthenticated({ data, errors = [] }: Answer): boolean {
  const nothingDone = !data || Object.values(data).every(value => value === null);
  return nothingDone && errors.some(error => error.extensions?.code === 'UNAUTHENTICATED');
}
