import { accountById } from '../accounts/accounts';
import { currentAccess, renew } from '../accounts/renewal';
import { bearer, send, type Answer, type Request, type Sent } from './send';

// Asks the server for the cost of the request and its number of statements.
const explainHeader = { 'X-CareGraph-Explain': '1' };

/** Sends a question as an account; null for nobody. It renews the account's tokens if needed. */
export async function ask(
  id: string | null,
  request: Request,
  headers: Record<string, string> = {},
  signal?: AbortSignal,
): Promise<Sent> {
  const access = accountById(id) && (await currentAccess(id!));
  const sent = await send(request, { ...explainHeader, ...bearer(access), ...headers }, signal);
  if (access === undefined || !unauthenticated(sent.answer)) {
    return sent;
  }
  const renewed = await renew(id!, access);
  return renewed === undefined ? sent : send(request, { ...explainHeader, ...bearer(renewed), ...headers }, signal);
}

// A request whose answer has data is not repeated: part of a mutation may have
// run.
function unauthenticated({ data, errors = [] }: Answer): boolean {
  const nothingDone = !data || Object.values(data).every(value => value === null);
  return nothingDone && errors.some(error => error.extensions?.code === 'UNAUTHENTICATED');
}
