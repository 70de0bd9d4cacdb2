import { isObjectType, type GraphQLField, type GraphQLObjectType, type GraphQLSchema } from 'graphql';
import { enumValues, oneLine, ruleOf, type Audience } from './rules';

/** A field with those who see its value and those who set it. */
export type FieldRights = { name: string; words: string; read: Audience; write: Audience };

/** The rights to the records of one type. */
export type TypeRights = { name: string; words: string; exists: Audience; fields: FieldRights[] };

/** A query or mutation with those who may call it. */
export type Call = { name: string; words: string; access: Audience };

export type Right = 'see' | 'set';

/** The rights to all record types, in the order of the schema. */
export function rightsOf(schema: GraphQLSchema): TypeRights[] {
  return Object.values(schema.getTypeMap())
    .filter(isObjectType)
    .flatMap(type => {
      const { access } = ruleOf(schema, type);
      return access ? [{ name: type.name, words: oneLine(type.description), exists: access, fields: fieldsOf(schema, type) }] : [];
    })
    .sort((a, b) => lineOf(schema, a.name) - lineOf(schema, b.name));
}

function fieldsOf(schema: GraphQLSchema, type: GraphQLObjectType): FieldRights[] {
  return Object.values(type.getFields()).flatMap(field => {
    const { read, write } = ruleOf(schema, field);
    return read && write ? [{ ...named(field), read, write }] : [];
  });
}

/** The queries or the mutations, with those who may call them. */
export function callsOf(schema: GraphQLSchema, root: GraphQLObjectType | null | undefined): Call[] {
  return Object.values(root?.getFields() ?? {}).flatMap(field => {
    const { access } = ruleOf(schema, field);
    return access ? [{ ...named(field), access }] : [];
  });
}

const named = ({ name, description }: GraphQLField<unknown, unknown>) => ({ name, words: oneLine(description) });

const lineOf = (schema: GraphQLSchema, name: string) => schema.getType(name)?.astNode?.loc?.start ?? 0;

/** What a caller with one of the relations may do with a field: nothing unless the record exists for the caller. */
export function rightsTo(field: FieldRights, { exists }: TypeRights, relations: string[]): Right[] {
  const among = (audience: Audience) => relations.some(relation => audience.relations.includes(relation));
  const sees = among(exists) && among(field.read);
  return [...(sees ? ['see' as const] : []), ...(sees && among(field.write) ? ['set' as const] : [])];
}

/** What an account without a relation to the record has. */
export const stranger = 'SIGNED_IN';

/** The relations with other rights to a type than a stranger has, in the order of the schema; and the stranger's. */
export function relationsIn(schema: GraphQLSchema, type: TypeRights): string[] {
  const rights = (relation: string) => type.fields.map(field => rightsTo(field, type, [relation]).length).join();
  const names = enumValues(schema, 'Relation').map(({ name }) => name);
  return [...names.filter(name => name !== 'ANYONE' && rights(name) !== rights(stranger)), stranger];
}
