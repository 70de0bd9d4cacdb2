// Accounts of a server, as their clients use them.

import { createAdmin } from '../../../web/test/server.mjs';

const password = 'Correct-Horse-7';
const tokens = 'user { id } tokens { access refresh } userErrors { code message }';

/** What a client of one account can do. It holds the tokens of one session. */
export class Account {
  constructor(server, id, pair) {
    this.server = server;
    this.id = id;
    this.tokens = pair;
  }

  get token() {
    return this.tokens.access;
  }

  get authorization() {
    return `Bearer ${this.token}`;
  }

  /** Sends an operation, and returns the answer. */
  ask(query, variables) {
    return ask(this.server, this.token, query, variables);
  }

  /** Sends an operation that must succeed, and returns its data. */
  async must(query, variables) {
    return good(await this.ask(query, variables));
  }

  /** Gets new tokens. The former access token stays valid until it expires. */
  async renew() {
    const { refreshToken } = await this.must(`mutation ($refresh: String!) { refreshToken(refresh: $refresh) { ${tokens} } }`, this.tokens);
    this.tokens = refreshToken.tokens;
  }

  /** Creates a patient, and returns its id. */
  async createPatient(name) {
    const { createPatient } = await this.must(
      'mutation ($input: CreatePatientInput!) { createPatient(input: $input) { patient { id } userErrors { code message } } }',
      { input: patientInput(name) },
    );
    return createPatient.patient.id;
  }

  async rename(id, name) {
    await this.must('mutation ($id: ID!, $name: String!) { updatePatient(id: $id, input: {name: $name}) { userErrors { code message } } }', { id, name });
  }

  async deletePatient(id) {
    await this.must('mutation ($id: ID!) { deletePatient(id: $id) { userErrors { code message } } }', { id });
  }

  /** Creates a doctor entry, and returns its id. */
  async createDoctor(name, isMe = false) {
    const { createDoctor } = await this.must(
      'mutation ($input: CreateDoctorInput!) { createDoctor(input: $input) { doctor { id } userErrors { code message } } }',
      { input: doctorInput(name, isMe) },
    );
    return createDoctor.doctor.id;
  }

  /** Checks a doctor entry, as an administrator does. */
  async verify(id, isVerified) {
    const { doctor } = await this.must('query ($id: ID!) { doctor(id: $id) { version } }', { id });
    await this.must(
      'mutation ($id: ID!, $is: Boolean!, $version: Int!) { verifyDoctor(id: $id, input: {isVerified: $is}, expectedVersion: $version) { userErrors { code message } } }',
      { id, is: isVerified, version: doctor.version },
    );
  }

  /** Assigns a doctor to a patient, and returns the id of the mapping. */
  async assign(patientId, doctorId) {
    const { assignDoctor } = await this.must(
      'mutation ($input: AssignDoctorInput!) { assignDoctor(input: $input) { mapping { id } userErrors { code message } } }',
      { input: { patientId, doctorId } },
    );
    return assignDoctor.mapping.id;
  }

  async remove(mapping) {
    await this.must('mutation ($id: ID!) { removeMapping(id: $id) { userErrors { code message } } }', { id: mapping });
  }

  async logout() {
    await this.must('mutation { logout { userErrors { code message } } }');
  }
}

/** Registers an account. */
export async function register(server, username, role = 'PATIENT') {
  const answer = await ask(server, null, `mutation ($input: RegisterInput!) { register(input: $input) { ${tokens} } }`, {
    input: { username, email: email(username), password, role },
  });
  return signedIn(server, good(answer).register);
}

/** Creates an administrator, and signs in. */
export async function administrator(server) {
  await createAdmin(server, email('admin'), password);
  const answer = await ask(server, null, `mutation ($input: LoginInput!) { login(input: $input) { ${tokens} } }`, {
    input: { email: email('admin'), password },
  });
  return signedIn(server, good(answer).login);
}

export function patientInput(name) {
  return {
    name, dateOfBirth: '1990-05-15', gender: 'FEMALE', phone: '9876543210', address: 'Pune', emergencyContact: '9876543211',
  };
}

let licenses = 0;

function doctorInput(name, isMe) {
  licenses++;
  return {
    name, isMe, email: email('doctor'), phone: '9876543212', specialization: 'Cardiology', licenseNumber: `MH-${licenses}`,
    experienceYears: 7, address: 'Pune', consultationFee: '500.00', availability: 'Mon-Fri',
  };
}

const email = name => `${name.toLowerCase()}@clinic.example`;

const signedIn = (server, payload) => new Account(server, payload.user.id, payload.tokens);

async function ask({ base }, token, query, variables) {
  const response = await fetch(`${base}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ query, variables }),
  });
  return response.json();
}

function good({ data, errors = [] }) {
  const all = [...errors, ...Object.values(data ?? {}).flatMap(payload => payload?.userErrors ?? [])];
  if (all.length > 0) {
    throw new Error(`the server refused: ${JSON.stringify(all)}`);
  }
  return data;
}
