import { rightsTo, type FieldRights, type Right, type TypeRights } from '../src/schema/rights';

/** What to show: fields whose texts contain all words, and that the relation may see or set. */
export type Filter = { words: string; relation: string; right: Right };

/** The types that have such fields, with these fields only. */
export function filtered(types: TypeRights[], filter: Filter): TypeRights[] {
  return types
    .map(type => ({ ...type, fields: type.fields.filter(field => matches(field, type, filter)) }))
    .filter(({ fields }) => fields.length > 0);
}

function matches(field: FieldRights, type: TypeRights, { words, relation, right }: Filter): boolean {
  const text = `${type.name}.${field.name} ${field.words} ${field.read.name} ${field.write.name}`;
  return contains(text, words) && (relation === '' || rightsTo(field, type, [relation]).includes(right));
}

/** Whether the text contains all words, in any case and order. */
export function contains(text: string, words: string): boolean {
  const lower = text.toLowerCase();
  return words.toLowerCase().split(/\s+/).every(word => lower.includes(word));
}

export const countOf = (types: TypeRights[]) => types.reduce((sum, { fields }) => sum + fields.length, 0);
