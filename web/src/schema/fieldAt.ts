import {
  getNamedType,
  isCompositeType,
  isInterfaceType,
  isObjectType,
  Kind,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import type { Path } from '../graphql/send';

export type FoundField = { type: GraphQLNamedType; field: GraphQLField<unknown, unknown> };

type Selected = { parent: GraphQLNamedType; node: FieldNode };

/** The field of the schema at a path of the answer, with aliases and fragments resolved. */
export function fieldAt(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  path: Path,
): FoundField | undefined {
  let found: FoundField | undefined;
  let scopes = [{ parent: schema.getRootType(operation.operation) as GraphQLNamedType, set: operation.selectionSet }];
  for (const key of path.filter(step => typeof step === 'string')) {
    const selected = scopes.flatMap(({ parent, set }) => fields(schema, document, parent, set)).filter(({ node }) => (node.alias ?? node.name).value === key);
    found = selected.map(definition).find(Boolean);
    const type = found && getNamedType(found.field.type);
    if (!type) {
      return undefined;
    }
    scopes = selected.flatMap(({ node }) => (node.selectionSet ? [{ parent: type, set: node.selectionSet }] : []));
  }
  return found;
}

function definition({ parent, node }: Selected): FoundField | undefined {
  const field = isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[node.name.value] : undefined;
  return field && { type: parent, field };
}

function fields(schema: GraphQLSchema, document: DocumentNode, parent: GraphQLNamedType, set: SelectionSetNode): Selected[] {
  return set.selections.flatMap(selection => {
    if (selection.kind === Kind.FIELD) {
      return [{ parent, node: selection }];
    }
    const fragment = selection.kind === Kind.INLINE_FRAGMENT ? selection : fragmentOf(document, selection.name.value);
    const type = fragment?.typeCondition ? schema.getType(fragment.typeCondition.name.value) : parent;
    return fragment && isCompositeType(type) ? fields(schema, document, type, fragment.selectionSet) : [];
  });
}

function fragmentOf(document: DocumentNode, name: string): FragmentDefinitionNode | undefined {
  return document.definitions.find(
    (node): node is FragmentDefinitionNode => node.kind === Kind.FRAGMENT_DEFINITION && node.name.value === name,
  );
}
