import { isEnumType, isInputObjectType, isInterfaceType, isObjectType, type GraphQLNamedType, type GraphQLSchema } from 'graphql';

export type Hit = { type: string; field?: string; note?: string };

const most = 60;

/** Types, fields, values and arguments whose name contains the text. Names that begin with it come first. */
export function search(schema: GraphQLSchema, text: string): Hit[] {
  const needle = text.toLowerCase();
  const ranked = types(schema).flatMap(type => [{ type: type.name }, ...members(type)]).flatMap(hit => {
    const at = (hit.note ?? hit.field ?? hit.type).toLowerCase().indexOf(needle);
    return at < 0 ? [] : [{ hit, at }];
  });
  return ranked.sort((a, b) => Math.sign(a.at) - Math.sign(b.at)).slice(0, most).map(({ hit }) => hit);
}

/** The types of the schema, without those of introspection. */
export function types(schema: GraphQLSchema): GraphQLNamedType[] {
  return Object.values(schema.getTypeMap()).filter(({ name }) => !name.startsWith('__'));
}

function members(type: GraphQLNamedType): Hit[] {
  if (isEnumType(type)) {
    return type.getValues().map(({ name }) => ({ type: type.name, field: name }));
  }
  if (isInputObjectType(type)) {
    return Object.keys(type.getFields()).map(field => ({ type: type.name, field }));
  }
  if (!isObjectType(type) && !isInterfaceType(type)) {
    return [];
  }
  return Object.values(type.getFields()).flatMap(({ name: field, args }) => [
    { type: type.name, field },
    ...args.map(({ name }) => ({ type: type.name, field, note: name })),
  ]);
}
