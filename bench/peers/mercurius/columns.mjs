// The columns that a document asks for, so that no statement reads more.

import { Kind, TypeInfo, visit, visitWithTypeInfo } from "graphql";

// keys are the columns that lead from a row to the rows of another level.
const keys = { mappings: "id", patient: "patientId", doctor: "doctorId" };

const known = new WeakMap();

// columnsOf returns the columns of the type, under the names that the schema
// has for them, that any field of the document asks for. It looks at the whole
// document because loaders answer equal fields at once, even if their selections differ.
// The id is always among them.
export function columnsOf(type, { operation, fragments, schema }) {
  let columns = known.get(operation);
  if (!columns) {
    columns = collect({ kind: Kind.DOCUMENT, definitions: [operation, ...Object.values(fragments)] }, schema);
    known.set(operation, columns);
  }
  return columns.get(type);
}

function collect(document, schema) {
  const names = new Map([["Patient", new Set(["id"])], ["Doctor", new Set(["id"])], ["Mapping", new Set(["id"])]]);
  const types = new TypeInfo(schema);
  visit(document, visitWithTypeInfo(types, {
    Field({ name, selectionSet }) {
      if (!name.value.startsWith("__")) {
        names.get(types.getParentType().name)?.add(selectionSet ? keys[name.value] : name.value);
      }
    },
  }));
  return new Map([...names].map(([type, columns]) => [type, [...columns].sort().map(named).join(", ")]));
}

function named(name) {
  return `${snakeCase(name)} AS "${name}"`;
}

export function snakeCase(name) {
  return name.replace(/[A-Z]/g, (letter) => "_" + letter.toLowerCase());
}
