// A resolver for each root field and a loader for each edge: one statement for
// each level of a query, however many rows are on it.

import { columnsOf, snakeCase } from "./columns.mjs";

const inputs = [
  "name", "dateOfBirth", "gender", "email", "phone", "address", "emergencyContact", "bloodGroup", "medicalHistory",
];
const inputColumns = inputs.map(snakeCase).join(", ");
const inputValues = inputs.map((_, i) => `$${i + 2}`).join(", ");

export function resolversOn(rows) {
  return {
    Query: {
      async patient(_, { id, owner }, __, info) {
        const [patient] = await rows(
          `SELECT ${columnsOf("Patient", info)} FROM patients
           WHERE id = $1 AND created_by = $2 AND deleted_at IS NULL`, [id, owner]);
        return patient;
      },
      async patients(_, { owner, first }, __, info) {
        return { nodes: await rows(
          `SELECT ${columnsOf("Patient", info)} FROM patients
           WHERE created_by = $1 AND deleted_at IS NULL
           ORDER BY created_at DESC, id DESC LIMIT $2`, [owner, first]) };
      },
      async doctor(_, { id }, __, info) {
        const [doctor] = await rows(
          `SELECT ${columnsOf("Doctor", info)} FROM doctors
           WHERE id = $1 AND deleted_at IS NULL`, [id]);
        return doctor;
      },
    },
    Mutation: {
      async createPatient(_, { owner, input }, __, info) {
        const [patient] = await rows(
          `INSERT INTO patients (created_by, ${inputColumns}) VALUES ($1, ${inputValues})
           RETURNING ${columnsOf("Patient", info)}`, [owner, ...inputs.map((name) => input[name])]);
        return { patient };
      },
    },
  };
}

export function loadersOn(rows) {
  return {
    Patient: { mappings: loader(mappingsBy("patient_id")) },
    Doctor: { mappings: loader(mappingsBy("doctor_id")) },
    Mapping: {
      patient: loader(rowsById("patients", "Patient", "patientId")),
      doctor: loader(rowsById("doctors", "Doctor", "doctorId")),
    },
  };

  // Mercurius tells a loader the selected fields only without its cache. Each
  // level is one batch, so nothing is read twice.
  function loader(load) {
    return { loader: load, opts: { cache: false } };
  }

  // Each parent has its own page: with aliases one batch may have several.
  function mappingsBy(parentColumn) {
    return async (queries) => {
      const answers = queries.map(() => ({ nodes: [] }));
      const mappings = await rows(
        `SELECT page.number::integer, ${columnsOf("Mapping", queries[0].info)}
         FROM unnest($1::bigint[], $2::integer[], $3::boolean[]) WITH ORDINALITY AS page (parent, first, active, number)
         CROSS JOIN LATERAL (
           SELECT * FROM mappings
           WHERE ${parentColumn} = page.parent AND (page.active IS NULL OR is_active = page.active)
           ORDER BY assigned_at DESC, id DESC LIMIT page.first
         ) AS mapping
         ORDER BY assigned_at DESC, id DESC`,
        [queries.map(({ obj }) => obj.id), queries.map(({ params }) => params.first),
          queries.map(({ params }) => params.isActive)]);
      for (const mapping of mappings) {
        answers[mapping.number - 1].nodes.push(mapping);
      }
      return answers;
    };
  }

  function rowsById(table, type, key) {
    return async (queries) => {
      const ids = [...new Set(queries.map(({ obj }) => obj[key]))];
      const found = await rows(`SELECT ${columnsOf(type, queries[0].info)} FROM ${table} WHERE id = ANY($1)`, [ids]);
      const byId = new Map(found.map((row) => [row.id, row]));
      return queries.map(({ obj }) => byId.get(obj[key]));
    };
  }
}
