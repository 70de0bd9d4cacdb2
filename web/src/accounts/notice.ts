import { Shared } from '../stored';
import { useShared } from '../useShared';

const notice = new Shared<string | null>(null);

/** Shows one message below the account bar until it is closed. */
export const setNotice = (text: string | null): void => notice.set(text);

export const useNotice = (): string | null => useShared(notice);
