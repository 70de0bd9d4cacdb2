import { formatResult } from '@graphiql/toolkit';
import type { Account } from '../accounts/accounts';
import type { Answer } from './send';

let last: { text: string; account: Account | undefined } | undefined;

/** Stores the account that sent the latest request. */
export function noteAsked(answer: Answer, account: Account | undefined): void {
  last = { text: formatResult(answer), account };
}

/** The account that sent the request of the shown answer, as text; undefined if it is no longer known. */
export function askedAs(shown: string): string | undefined {
  if (last?.text !== shown) {
    return undefined;
  }
  return last.account ? `${last.account.username} (${last.account.role})` : 'nobody';
}
