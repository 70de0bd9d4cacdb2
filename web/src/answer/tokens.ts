import { tokenKind } from '../accounts/accounts';
import type { Answer } from '../graphql/send';

const token = /^eyJ[\w-]+\.[\w-]+\.[\w-]+$/;
const words = { access: 'access token: kept by this page', refresh: 'refresh token: kept by this page' };
const unknown = 'token: not shown by this page';

/** The answer with words in place of its tokens, so that no view of the page prints one. */
export function withoutTokens(answer: Answer): Answer {
  const hide = (_: string, value: unknown) => (typeof value === 'string' && token.test(value) ? wordsFor(value) : value);
  return JSON.parse(JSON.stringify(answer), hide);
}

function wordsFor(value: string): string {
  const kind = tokenKind(value);
  return kind ? words[kind] : unknown;
}

/** Whether a text of an answer stands for a token. */
export const isToken = (text: string): boolean => [words.access, words.refresh, unknown].includes(text);
