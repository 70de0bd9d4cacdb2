import { getDirectiveValues, isEnumType, type ASTNode, type GraphQLEnumValue, type GraphQLSchema } from 'graphql';

/** An audience, its description in the schema, and the relations that belong to it. */
export type Audience = { name: string; words: string; relations: string[] };

/** The ownership rule of one type or field, if it has one. */
export type Rule = { access?: Audience; read?: Audience; write?: Audience };

export type Annotated = { astNode?: (ASTNode & { directives?: readonly any[] }) | null | undefined };

export function ruleOf(schema: GraphQLSchema, { astNode }: Annotated): Rule {
  const access = values(schema, 'access', { astNode });
  const owner = values(schema, 'owner', { astNode });
  return {
    ...(access && { access: audience(schema, access.to) }),
    ...(owner && { read: audience(schema, owner.read), write: audience(schema, owner.write) }),
  };
}

/** The arguments of a directive; nothing without it. */
export function values(schema: GraphQLSchema, directive: string, { astNode }: Annotated): Record<string, any> | undefined {
  const definition = schema.getDirective(directive);
  return definition && astNode ? getDirectiveValues(definition, astNode) : undefined;
}

function audience(schema: GraphQLSchema, name = ''): Audience {
  const value = enumValues(schema, 'Audience').find(one => one.name === name);
  const admitted: string[] = (value && values(schema, 'admits', value)?.relations) ?? [];
  const relations = enumValues(schema, 'Relation').map(relation => relation.name);
  return {
    name,
    words: oneLine(value?.description),
    relations: relations.filter(relation => impliedBy(relation).some(one => admitted.includes(one))),
  };
}

/**
 * A relation and those that each caller with it has, too: everyone is ANYONE, a caller with any other relation is
 * SIGNED_IN, and a member of a team with a certain level is a member.
 */
function impliedBy(relation: string): string[] {
  const account = relation === 'ANYONE' ? [] : ['SIGNED_IN'];
  const member = relation.startsWith('TEAM_') ? ['TEAM'] : [];
  return [relation, 'ANYONE', ...account, ...member];
}

export function enumValues(schema: GraphQLSchema, name: string): readonly GraphQLEnumValue[] {
  const type = schema.getType(name);
  return isEnumType(type) ? type.getValues() : [];
}

export const oneLine = (text: string | null | undefined): string => text?.replace(/\s+/g, ' ').trim() ?? '';
