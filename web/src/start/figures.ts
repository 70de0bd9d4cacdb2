import type { GraphQLSchema } from 'graphql';
import { rightsOf, rightsTo, stranger, type Right, type TypeRights } from '../schema/rights';

/** Someone in the drawing: how they are related to the patient record in the middle. */
export type Figure = { id: string; title: string; words: string; relation: string; relations: string[] };

export const figures: Figure[] = [
  { id: 'owner', title: 'Owner', words: 'created the record', relation: 'OWNER', relations: ['OWNER'] },
  { id: 'colleague', title: 'Colleague', words: 'at the owner’s desk', relation: 'TEAM', relations: ['TEAM', 'TEAM_DESK'] },
  { id: 'doctor', title: 'Doctor', words: 'treats the patient', relation: 'ASSIGNED_DOCTOR', relations: ['ASSIGNED_DOCTOR'] },
  { id: 'patient', title: 'Patient', words: 'claimed the record', relation: 'SELF', relations: ['SELF'] },
  { id: 'administrator', title: 'Administrator', words: 'runs the server', relation: 'ADMIN', relations: ['ADMIN'] },
  { id: 'stranger', title: 'Stranger', words: 'any other account', relation: 'no relation', relations: [stranger] },
];

/** The values of the record in the drawing. */
export const values: { field: string; label: string; value: string }[] = [
  { field: 'name', label: 'Name', value: 'Arjun Sharma' },
  { field: 'phone', label: 'Phone', value: '90080 20001' },
  { field: 'emergencyContact', label: 'Emergency contact', value: '90080 30001' },
  { field: 'bloodGroup', label: 'Blood group', value: 'B+' },
  { field: 'medicalHistory', label: 'Medical history', value: 'Hypertension since 2021' },
];

/** What a figure may do with the record. */
export type Reach = { exists: boolean; sees: number; sets: number; of: number; fields: Map<string, Right[]> };

/** What each figure may do with a patient record, from the directives of the schema. */
export function reachOf(schema: GraphQLSchema): (figure: Figure) => Reach | undefined {
  const patient = rightsOf(schema).find(({ name }) => name === 'Patient');
  return figure => patient && reachIn(patient, figure);
}

function reachIn(patient: TypeRights, { relations }: Figure): Reach {
  const fields = new Map(patient.fields.map(field => [field.name, rightsTo(field, patient, relations)]));
  const count = (right: Right) => [...fields.values()].filter(rights => rights.includes(right)).length;
  const sees = count('see');
  return { exists: sees > 0, sees, sets: count('set'), of: fields.size, fields };
}

/** The reach in a few words. */
export function sum({ exists, sees, sets, of }: Reach): string {
  if (!exists) {
    return 'no such record';
  }
  const seen = sees === of ? `all ${of} fields` : `${sees} of ${of}`;
  return `sees ${seen}, sets ${sets || 'none'}`;
}
