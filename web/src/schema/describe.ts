import { isObjectType, type GraphQLSchema } from 'graphql';
import { ruleOf, type Audience, type Rule } from './rules';

/**
 * Adds the rules to the descriptions: who may see, set and call what. The docs and
 * the completion show only descriptions.
 */
export function describeRules(schema: GraphQLSchema): GraphQLSchema {
  for (const type of Object.values(schema.getTypeMap()).filter(isObjectType)) {
    describe(type, ruleOf(schema, type), 'exists for');
    for (const field of Object.values(type.getFields())) {
      describe(field, ruleOf(schema, field), 'open to');
    }
  }
  return schema;
}

type Described = { description?: string | null | undefined };

// One paragraph names the audiences, and one explains them: the lists in the docs
// show only the first one.
function describe(thing: Described, { access, read, write }: Rule, accessVerb: string): void {
  const audiences = [access, read, write].filter(audience => audience !== undefined);
  if (audiences.length === 0) {
    return;
  }
  const owners =
    read?.name === write?.name ? [named('seen and set by', read)] : [named('seen by', read), named('set by', write)];
  const parts = [named(accessVerb, access), ...owners].filter(Boolean);
  const words = new Map(audiences.map(({ name, words }) => [name, `*${name}*: ${words}`]));
  const paragraphs = [thing.description, `**${upperFirst(parts.join(', '))}**`, [...words.values()].join('  \n')];
  thing.description = paragraphs.filter(Boolean).join('\n\n');
}

const named = (verb: string, audience: Audience | undefined) => audience && `${verb} ${audience.name}`;

const upperFirst = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
