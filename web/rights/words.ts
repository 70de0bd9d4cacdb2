import { stranger } from '../src/schema/rights';

/** The name of a relation in plain words. */
export function labelOf(relation: string): string {
  if (relation === stranger) {
    return 'Any other account';
  }
  const words = relation.replaceAll('_', ' ').toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** The first sentence of a description, without its Markdown. */
export const firstSentence = (text: string): string => (/^.*?[.:](?=\s|$)/.exec(text)?.[0] ?? text).replaceAll('`', '');
