// The tokens of the account that is signed in. They are in localStorage, so that a reload and other tabs have them, too. Every
// script of the page can read them: serve the page with a Content-Security-Policy that admits your own scripts only.

import type { TypedDocumentNode } from '@apollo/client';
import { print } from 'graphql';
import { useSyncExternalStore } from 'react';
import { graphql } from './gql';
import type { LoginInput } from './gql/graphql';

const Login = graphql(`
  mutation Login($input: LoginInput!) {
    login(input: $input) { user { id } tokens { access refresh } device userErrors { code message } }
  }
`);

const Renew = graphql(`
  mutation Renew($refresh: String!) { refreshToken(refresh: $refresh) { tokens { access refresh } } }
`);

type Session = { account: string; access: string; refresh: string };

const listeners = new Set<() => void>();
const notify = () => listeners.forEach(listener => listener());
addEventListener('storage', notify); // from another tab
const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

export function session(): Session | null {
  return JSON.parse(localStorage.getItem('session') ?? 'null');
}

export function keep(next: Session | null) {
  localStorage.setItem('session', JSON.stringify(next));
  notify();
}

/** The id of the account that is signed in. */
export const useAccount = () => useSyncExternalStore(subscribe, () => session()?.account);

/** Signs in, or returns why not. The server knows a device again by its token. */
export async function signIn(input: LoginInput) {
  const device = localStorage.getItem('device');
  const { login } = await ask(Login, { input: { ...input, device, client: 'CareGraph example for the web' } });
  if (!login?.user || !login.tokens) return login?.userErrors ?? [];
  localStorage.setItem('device', login.device ?? '');
  keep({ account: login.user.id, ...login.tokens });
  return [];
}

// #region renew
/** Renews the tokens once, however many requests and tabs ask for it, and returns the access token to use now. */
export function renew(used: string): Promise<string | undefined> {
  return navigator.locks.request('renew', async () => {
    const before = session();
    if (before?.access === used) {
      const { refreshToken } = await ask(Renew, { refresh: before.refresh });
      // No tokens: the session is over. Another session: someone has signed in or out in the meantime.
      if (session()?.refresh === before.refresh) keep(refreshToken?.tokens ? { ...before, ...refreshToken.tokens } : null);
    }
    return session()?.access;
  });
}
// #endregion

async function ask<Data, Variables>(document: TypedDocumentNode<Data, Variables>, variables: Variables): Promise<Data> {
  const headers = { 'Content-Type': 'application/json', Accept: 'application/graphql-response+json' };
  const body = JSON.stringify({ query: print(document), variables });
  const response = await fetch('/graphql', { method: 'POST', headers, body });
  const { data, errors } = await response.json();
  if (errors) throw new Error(errors[0].message);
  return data;
}
