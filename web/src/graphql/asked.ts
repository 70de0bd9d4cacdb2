import { formatResult } from '@graphiql/toolkit';
import type { Account } from '../accounts/accounts';
import type { Answer } from './send';

let last: { text: string; account: Account | undefined } | undefined;

/** Notes as whom the latest answer was asked for. */
export function noteAsked(answer: Answer, account: Account | undefined): void {
  last = { text: formatResult(answer), account };
}

/** As whom the shown answer was asked for, in words; nothing if that is not known any more. */
export function askedAs(shown: string): string | undefined {
  if (last?.text !== shown) {
    return undefined;
  }
  return last.account ? `${last.account.username} (${last.account.role})` : 'nobody';
}
