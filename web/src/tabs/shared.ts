import { readShareLink } from '../share/link';
import { show } from '../shell/look';
import { addQuestion } from './tabs';
import { start } from './tour';

/** Opens the question of a share link in a new tab. It never runs it: it is someone else's. */
export function openShared(): void {
  const question = readShareLink(location.hash);
  if (question) {
    const { query, variables = {} } = question;
    const text = Object.keys(variables).length > 0 ? JSON.stringify(variables, null, 2) : '';
    history.replaceState(null, '', location.pathname + location.search);
    start();
    addQuestion({ query, variables: text });
    show('ask');
  }
}
