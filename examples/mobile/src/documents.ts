// What the app asks for, and the types of the answers.

export interface Patient {
  __typename: 'Patient';
  id: string;
  name: string;
  address: string | null;
  bloodGroup: string | null;
  medicalHistory: string | null;
  version: number;
  /** `redactedFields` tells a hidden value from an empty one. */
  viewer: { redactedFields: string[]; writableFields: string[] };
  mappings: { nodes: { id: string; isActive: boolean; doctor: { id: string } }[] };
}

export type Doctor = { __typename: 'Doctor'; id: string; name: string; specialization: string };
export type Node = Patient | Doctor;
export type Tokens = { access: string; refresh: string };
export type UserError = { code: string; message: string };

// Hidden values are null without an error, because of @redact in each document.
const patientFields = `fragment PatientFields on Patient {
  __typename id name address bloodGroup medicalHistory version
  viewer { redactedFields writableFields }
  mappings(first: 50, isActive: null) { nodes { id isActive doctor { id } } }
}`;

export const changes = `query Changes($after: String) @redact {
  changes(after: $after, first: 50) {
    cursor reset hasMore gone
    nodes { ...PatientFields ... on Doctor { __typename id name specialization } }
  }
}
${patientFields}`;

export type Changes = { changes: { cursor: string; reset: boolean; hasMore: boolean; gone: string[]; nodes: Node[] } };

export const createPatient = `mutation CreatePatient($input: CreatePatientInput!) @redact {
  createPatient(input: $input) { patient { ...PatientFields } userErrors { code message } }
}
${patientFields}`;

export const updatePatient = `mutation UpdatePatient($id: ID!, $input: UpdatePatientInput!, $expectedVersion: Int) @redact {
  updatePatient(id: $id, input: $input, expectedVersion: $expectedVersion) {
    patient { ...PatientFields } userErrors { code message }
  }
}
${patientFields}`;

/** The answer to a change: its one field is the payload. */
export type Change = Record<string, { patient: Patient | null; userErrors: UserError[] }>;

export const login = `mutation Login($input: LoginInput!) {
  login(input: $input) { user { id } tokens { access refresh } device userErrors { code message } }
}`;

export type Login = { login: { user?: { id: string }; tokens?: Tokens; device: string; userErrors: UserError[] } };

export const renewal = `mutation Renew($refresh: String!) { refreshToken(refresh: $refresh) { tokens { access refresh } } }`;

export type Renewal = { refreshToken: { tokens: Tokens | null } };
