import {
  getNamedType,
  isInterfaceType,
  isInputObjectType,
  isLeafType,
  isNonNullType,
  isObjectType,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
} from 'graphql';

const deepest = 3;

/** A question for a root field: its required arguments as variables, and the plain fields of its answer. */
export function questionFor(schema: GraphQLSchema, root: string, field: GraphQLField<unknown, unknown>) {
  const kind = root === schema.getMutationType()?.name ? 'mutation' : root === schema.getSubscriptionType()?.name ? 'subscription' : 'query';
  const needed = field.args.filter(argument => isNonNullType(argument.type) && argument.defaultValue === undefined);
  const name = field.name.charAt(0).toUpperCase() + field.name.slice(1);
  const declared = needed.map(({ name, type }) => `$${name}: ${String(type)}`).join(', ');
  const passed = needed.map(({ name }) => `${name}: $${name}`).join(', ');
  const selection = selectionOf(getNamedType(field.type), '  ', 1);
  const query = `${kind} ${name}${declared && `(${declared})`} {\n  ${field.name}${passed && `(${passed})`}${selection}\n}\n`;
  return { query, variables: needed.length > 0 ? JSON.stringify(values(needed), null, 2) : '' };
}

function selectionOf(type: GraphQLNamedType, indent: string, depth: number): string {
  if (!isObjectType(type) && !isInterfaceType(type)) {
    return '';
  }
  const lines = Object.values(type.getFields()).flatMap(field => {
    const named = getNamedType(field.type);
    if (field.args.some(argument => isNonNullType(argument.type) && argument.defaultValue === undefined)) {
      return [];
    }
    if (isLeafType(named)) {
      return [field.name];
    }
    const inner = depth < deepest && isContainer(field.name) ? selectionOf(named, `${indent}  `, depth + 1) : '';
    return inner ? [field.name + inner] : [];
  });
  return lines.length > 0 ? ` {\n${lines.map(line => `${indent}  ${line}\n`).join('')}${indent}}` : '';
}

// Fields that lead to the records of an answer, not to further records.
const isContainer = (name: string) => ['nodes', 'edges', 'node', 'pageInfo', 'userErrors', 'user', 'patient', 'doctor', 'mapping', 'viewer'].includes(name);

function values(needed: readonly GraphQLArgument[]): Record<string, unknown> {
  return Object.fromEntries(needed.map(({ name, type }) => [name, blank(getNamedType(type))]));
}

function blank(type: GraphQLNamedType): unknown {
  if (!isInputObjectType(type)) {
    return '';
  }
  const required = Object.values(type.getFields()).filter(field => isNonNullType(field.type) && field.defaultValue === undefined);
  return Object.fromEntries(required.map(({ name, type: inner }) => [name, blank(getNamedType(inner))]));
}
