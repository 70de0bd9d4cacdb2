import { stranger } from '../src/schema/rights';

/** The name of a relation in plain words. */
export function labelOf(relation: string): string {
  if (relation === stranger) {
    return 'Any other account';
  }
  const words = relation.replaceAll('_', ' ').toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** A description without its Markdown. */
export const plain = (text: string): string => text.replaceAll('`', '');

/** The first sentence of a description. */
export const firstSentence = (text: string): string => plain(/^.*?\.(?=\s|$)/.exec(text)?.[0] ?? text);
