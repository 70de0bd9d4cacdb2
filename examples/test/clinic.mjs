// What the tests of both examples need from the server: accounts, patients, and what the server says about them.

import { strict as assert } from 'node:assert';

export const password = 'Secure@123';

async function post(base, token, query, variables) {
  const headers = { 'Content-Type': 'application/json', ...(token && { Authorization: `Bearer ${token}` }) };
  const response = await fetch(`${base}/graphql`, { method: 'POST', headers, body: JSON.stringify({ query, variables }) });
  return response.json();
}

/** Sends an operation of an account that must not fail, and returns its data. A token that has ended is replaced. */
export async function ask(account, query, variables) {
  let { data, errors } = await post(account.base, account.token, query, variables);
  if (account.token && errors?.[0].extensions.code === 'UNAUTHENTICATED') {
    Object.assign(account, await signIn(account.base, account.email));
    ({ data, errors } = await post(account.base, account.token, query, variables));
  }
  assert.equal(errors, undefined, JSON.stringify(errors));
  for (const payload of Object.values(data)) assert.deepEqual(payload?.userErrors ?? [], []);
  return data;
}

export async function register(base, username, role = 'PATIENT') {
  const email = `${username}@clinic.example`;
  const { register: answer } = await ask(
    { base },
    'mutation ($input: RegisterInput!) { register(input: $input) { tokens { access } userErrors { code message } } }',
    { input: { username, email, password, role } },
  );
  return { base, email, token: answer.tokens.access };
}

export async function signIn(base, email) {
  const { login } = await ask(
    { base },
    'mutation ($input: LoginInput!) { login(input: $input) { tokens { access } userErrors { code } } }',
    { input: { email, password } },
  );
  return { base, email, token: login.tokens.access };
}

export const newPatient = (name, more) => ({
  name,
  dateOfBirth: '1990-05-15',
  gender: 'FEMALE',
  phone: '9876543210',
  address: '12 MG Road, Bengaluru',
  emergencyContact: '9876543211',
  ...more,
});

/** Creates a patient, and returns its id. */
export async function createPatient(account, name, more) {
  const { createPatient: payload } = await ask(
    account,
    'mutation ($input: CreatePatientInput!) { createPatient(input: $input) { patient { id } userErrors { code field } } }',
    { input: newPatient(name, more) },
  );
  return payload.patient.id;
}

export const updatePatient = (account, id, input) =>
  ask(
    account,
    'mutation ($id: ID!, $input: UpdatePatientInput!) { updatePatient(id: $id, input: $input) { userErrors { code field } } }',
    { id, input },
  );

/** Creates a doctor entry that an administrator has verified, and returns its id. */
export async function createDoctor(account, admin, name, licenseNumber, isMe = false) {
  const { createDoctor: payload } = await ask(
    account,
    'mutation ($input: CreateDoctorInput!) { createDoctor(input: $input) { doctor { id version } userErrors { code field } } }',
    {
      input: {
        ...{ name, licenseNumber, isMe, email: 'desk@clinic.example', phone: '9876543212', specialization: 'Cardiology' },
        ...{ experienceYears: 12, address: '5 Residency Road, Bengaluru', consultationFee: '1500', availability: 'Mon-Fri 9AM-5PM' },
      },
    },
  );
  await ask(
    admin,
    `mutation ($id: ID!, $version: Int!) {
      verifyDoctor(id: $id, input: { isVerified: true }, expectedVersion: $version) { userErrors { code } } }`,
    payload.doctor,
  );
  return payload.doctor.id;
}

/** Assigns the doctor, and returns the id of the mapping. */
export async function assign(account, patientId, doctorId) {
  const { assignDoctor: payload } = await ask(
    account,
    'mutation ($input: AssignDoctorInput!) { assignDoctor(input: $input) { mapping { id } userErrors { code } } }',
    { input: { patientId, doctorId } },
  );
  return payload.mapping.id;
}

export const removeMapping = (account, id) =>
  ask(account, 'mutation ($id: ID!) { removeMapping(id: $id) { userErrors { code } } }', { id });

export const deletePatient = (account, id) =>
  ask(account, 'mutation ($id: ID!) { deletePatient(id: $id) { userErrors { code } } }', { id });

export const signOutEverywhere = account => ask(account, 'mutation { logoutEverywhere { userErrors { code } } }');
