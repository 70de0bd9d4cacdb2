import { getDirectiveValues, GraphQLEnumType, type ASTNode, type GraphQLSchema } from 'graphql';

/** An audience and its description in the schema. */
export type Audience = { name: string; words: string };

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
  const type = schema.getType('Audience');
  const value = type instanceof GraphQLEnumType ? type.getValue(name) : undefined;
  return { name, words: value?.description?.replace(/\s+/g, ' ') ?? '' };
}
