import { Stored, useStored } from '../stored';

export type Tokens = {
  access: string;
  refresh: string;
  accessExpiresAt: string;
};

export type Account = {
  id: string;
  username: string;
  email: string | null;
  role: string;
  tokens: Tokens;
  /** Registered by an example, not by the user. */
  made?: boolean | undefined;
};

type Accounts = {
  list: Account[];
  /** The account that sends the requests; null for none. */
  active: string | null;
};

const accounts = new Stored<Accounts>('accounts', () => ({ list: [], active: null }));

export const useAccounts = (): Accounts => useStored(accounts);

export function accountById(id: string | null): Account | undefined {
  return accounts.value.list.find(account => account.id === id);
}

export function activeAccount(): Account | undefined {
  return accountById(accounts.value.active);
}

export function activate(id: string | null): void {
  accounts.set({ ...accounts.value, active: id });
}

/** Adds an account, or replaces the session of a known one, and makes it active. */
export function addAccount(account: Account): void {
  const { list } = accounts.value;
  const known = list.some(({ id }) => id === account.id);
  accounts.set({
    list: known ? list.map(old => (old.id === account.id ? account : old)) : [...list, account],
    active: account.id,
  });
}

export function dropAccount(id: string): void {
  const { list, active } = accounts.value;
  accounts.set({ list: list.filter(account => account.id !== id), active: active === id ? null : active });
}

export function setTokens(id: string, tokens: Tokens): void {
  const { list, active } = accounts.value;
  accounts.set({ list: list.map(account => (account.id === id ? { ...account, tokens } : account)), active });
}

// A duplicated browser tab starts with the same tokens, and a refresh token that
// is used twice ends its session. So the tabs share renewed tokens.
const channel = new BroadcastChannel('caregraph.playground.renewals');

export function tellRenewed(used: string, tokens: Tokens): void {
  channel.postMessage({ used, tokens });
}

channel.onmessage = ({ data: { used, tokens } }) => {
  const account = accounts.value.list.find(({ tokens: { refresh } }) => refresh === used);
  if (account) {
    setTokens(account.id, tokens);
  }
};
