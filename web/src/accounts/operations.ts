import { bearer, send, type Sent } from '../graphql/send';
import type { Account, Tokens } from './accounts';

export type UserError = { field: string[] | null; code: string; message: string };

export type RegisterInput = { username: string; email: string; password: string; phone: string | null; role: string };

type Session = { user: Omit<Account, 'tokens'> | null; tokens: Tokens | null; userErrors: UserError[] };

/** A signed-in account, or the errors. */
export type SignedIn = { account: Account } | { faults: UserError[] };

const session = '{ user { id username email role } tokens { access refresh accessExpiresAt } userErrors { field code message } }';

export async function register(input: RegisterInput): Promise<SignedIn> {
  const query = `mutation Register($input: RegisterInput!) { session: register(input: $input) ${session} }`;
  return signedIn(await send({ query, variables: { input } }));
}

export async function login(input: { email: string; password: string }): Promise<SignedIn> {
  const query = `mutation Login($input: LoginInput!) { session: login(input: $input) ${session} }`;
  return signedIn(await send({ query, variables: { input } }));
}

function signedIn({ answer }: Sent): SignedIn {
  const found = answer.data?.session as Session | null | undefined;
  if (found?.user && found.tokens) {
    return { account: { ...found.user, tokens: found.tokens } };
  }
  if (found) {
    return { faults: found.userErrors };
  }
  return { faults: (answer.errors ?? []).map(({ message }) => ({ field: null, code: '', message })) };
}

/** New tokens of the session; 'ended' if it has ended; undefined if the server did not answer. */
export async function refresh(token: string): Promise<Tokens | 'ended' | undefined> {
  const query = `mutation Refresh($refresh: String!) { session: refreshToken(refresh: $refresh) ${session} }`;
  const { answer } = await send({ query, variables: { refresh: token } });
  const found = answer.data?.session as Session | null | undefined;
  return found ? (found.tokens ?? 'ended') : undefined;
}

/** Ends the session on the server, if it has not ended before. */
export async function logout(account: Account): Promise<void> {
  await send({ query: 'mutation Logout { logout { userErrors { code } } }' }, bearer(account.tokens.access));
}
