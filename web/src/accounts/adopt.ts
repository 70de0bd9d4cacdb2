import type { Answer } from '../graphql/send';
import { addAccount, accountById, type Account, type Tokens } from './accounts';

type Payload = { user?: Partial<Account> | null; tokens?: Partial<Tokens> | null };

/**
 * Signs in with the tokens of an answer: `register`, `login` and similar
 * mutations in the editor have the same effect as the account panel. Returns the
 * account that is active afterwards, if there was one.
 */
export function adoptSessions({ data }: Answer): Account | undefined {
  let adopted: Account | undefined;
  for (const value of Object.values(data ?? {})) {
    const account = sessionIn(value as Payload | null);
    if (account) {
      adopted = { ...account, made: accountById(account.id)?.made ?? true };
      addAccount(adopted);
    }
  }
  return adopted;
}

function sessionIn(payload: Payload | null): Account | undefined {
  const { user, tokens } = payload ?? {};
  if (!user?.id || !user.username || !user.role || !tokens?.access || !tokens.refresh || !tokens.accessExpiresAt) {
    return undefined;
  }
  return {
    id: user.id,
    username: user.username,
    role: user.role,
    email: user.email ?? null,
    tokens: { access: tokens.access, refresh: tokens.refresh, accessExpiresAt: tokens.accessExpiresAt },
  };
}
