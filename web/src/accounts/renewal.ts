import { accountById, dropAccount, setTokens, tellRenewed } from './accounts';
import { setNotice } from './notice';
import { refresh } from './operations';

// A token that expires sooner than this is renewed before it is sent.
const marginMilliseconds = 60_000;

const underWay = new Map<string, Promise<string | undefined>>();

/** The access token to send for an account, renewed if it is about to expire. */
export async function currentAccess(id: string): Promise<string | undefined> {
  const tokens = accountById(id)?.tokens;
  if (!tokens || Date.parse(tokens.accessExpiresAt) - Date.now() > marginMilliseconds) {
    return tokens?.access;
  }
  return renew(id, tokens.access);
}

/**
 * Replaces the tokens of the account when its access token is no longer valid.
 * One renewal at a time: a refresh token works once, and using it again much
 * later ends the session.
 */
export function renew(id: string, stale: string): Promise<string | undefined> {
  const current = accountById(id)?.tokens.access;
  if (current !== stale) {
    return Promise.resolve(current); // another caller has renewed it
  }
  let renewal = underWay.get(id);
  if (!renewal) {
    renewal = renewNow(id).finally(() => underWay.delete(id));
    underWay.set(id, renewal);
  }
  return renewal;
}

async function renewNow(id: string): Promise<string | undefined> {
  const { username, tokens } = accountById(id)!;
  const renewed = await refresh(tokens.refresh);
  if (renewed === 'ended') {
    dropAccount(id);
    setNotice(`The session of ${username} has ended. Sign in again to continue as ${username}.`);
    return undefined;
  }
  if (renewed) {
    setTokens(id, renewed);
    tellRenewed(tokens.refresh, renewed);
  }
  return renewed?.access ?? tokens.access;
}
