import { getNamedType, isInputObjectType, isObjectType, type GraphQLField, type GraphQLSchema } from 'graphql';
import { values, type Annotated } from './rules';

type Described = Annotated & { description?: string | null | undefined };

/**
 * Puts into the descriptions what @text, @range and @userErrors say, in the words of the server's introspection. So the
 * docs and the completion show it, which know descriptions only.
 */
export function describeLimits(schema: GraphQLSchema): GraphQLSchema {
  for (const type of Object.values(schema.getTypeMap())) {
    if (isObjectType(type) || isInputObjectType(type)) {
      Object.values(type.getFields()).forEach(field => append(field, ' ', limitOf(schema, field)));
    }
  }
  for (const mutation of Object.values(schema.getMutationType()?.getFields() ?? {})) {
    describeInput(schema, mutation);
    const codes = values(schema, 'userErrors', mutation)?.codes as string[] | undefined;
    append(mutation, '\n\n', codes && `userErrors: ${codes.join(', ') || 'none'}.`);
  }
  return schema;
}

// An input field has the limit of its namesake in the record that the mutation answers with.
function describeInput(schema: GraphQLSchema, mutation: GraphQLField<unknown, unknown>): void {
  const input = getNamedType(mutation.args.find(({ name }) => name === 'input')?.type);
  const payload = getNamedType(mutation.type);
  const record = isObjectType(payload) ? getNamedType(Object.values(payload.getFields())[0]?.type) : undefined;
  if (isInputObjectType(input) && isObjectType(record)) {
    for (const field of Object.values(input.getFields())) {
      append(field, ' ', limitOf(schema, record.getFields()[field.name]));
    }
  }
}

function limitOf(schema: GraphQLSchema, field: Annotated | undefined): string | undefined {
  const text = field && values(schema, 'text', field);
  if (text) {
    return text.min > 0 ? `${count(text.min)} to ${count(text.max)} characters.` : `At most ${count(text.max)} characters.`;
  }
  const range = field && values(schema, 'range', field);
  return range && `${count(range.min)} to ${count(range.max)}.`;
}

const count = (number: number) => number.toLocaleString('en-US');

function append(thing: Described, separator: string, words: string | undefined): void {
  thing.description = [thing.description, words].filter(Boolean).join(separator);
}
