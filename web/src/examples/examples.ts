import type { Made } from './memory';
import { examplePassword, newEmail, newLicense, newUsername } from './fresh';
import type { Actor } from './actors';
import queries from './examples.graphql?raw';

export type Variables = Record<string, unknown>;

export type Example = {
  /** The name of its operation. */
  name: string;
  query: string;
  variables: Variables;
  /** The account that sends it, unless the user has chosen another one. */
  actor?: Actor;
  /** The variables to fill in: path in the variables -> name of a stored value. */
  fills?: Record<string, keyof Made>;
  /** The values of the answer that later examples need. Undefined ones are not stored. */
  makes?: (data: any) => Partial<Made>;
};

const withoutQuery: Omit<Example, 'query'>[] = [
  {
    name: 'Register',
    variables: { input: { username: '', email: '', password: examplePassword, phone: null, role: 'PATIENT' } },
    fills: { 'input.username': 'newUsername', 'input.email': 'newEmail' },
    makes: ({ register }) =>
      register?.tokens ? { desk: register.user?.id, newUsername: newUsername(), newEmail: newEmail() } : {},
  },
  {
    name: 'CreatePatient',
    actor: 'desk',
    variables: {
      input: {
        name: 'Arjun Mehta',
        dateOfBirth: '1990-05-15',
        gender: 'MALE',
        phone: '98765 43210',
        address: '12 MG Road, Bengaluru 560001',
        emergencyContact: '98450 12345',
        bloodGroup: 'B_POSITIVE',
        medicalHistory: 'Asthma since childhood; allergic to penicillin.',
      },
    },
    makes: ({ createPatient }) => ({
      patient: createPatient?.patient?.id,
      patientVersion: createPatient?.patient?.version,
      desk: createPatient?.patient?.createdBy?.id,
    }),
  },
  {
    name: 'CreateDoctor',
    actor: 'doctor',
    variables: {
      input: {
        name: 'Dr. Priya Patel',
        email: 'priya.patel@clinic.example',
        phone: '080 4123 4567',
        specialization: 'Pulmonology',
        licenseNumber: '',
        experienceYears: 12,
        address: 'Lakeside Clinic, 4 Residency Road, Bengaluru',
        consultationFee: '1500.00',
        availability: 'Mon-Fri 9AM-5PM',
        isMe: true,
      },
    },
    fills: { 'input.licenseNumber': 'newLicense' },
    makes: ({ createDoctor }) =>
      createDoctor?.doctor ? { doctor: createDoctor.doctor.id, newLicense: newLicense() } : {},
  },
  {
    name: 'AssignDoctor',
    actor: 'desk',
    variables: { input: { patientId: '', doctorId: '', notes: 'Wheezing at night; spirometry wanted.' } },
    fills: { 'input.patientId': 'patient', 'input.doctorId': 'doctor' },
  },
  { name: 'PatientGraph', actor: 'desk', variables: { patient: '' }, fills: { patient: 'patient' } },
  { name: 'GraphRedacted', actor: 'desk', variables: { patient: '' }, fills: { patient: 'patient' } },
  {
    name: 'SearchPatients',
    actor: 'desk',
    variables: { search: 'arjun', first: 5, after: null },
    fills: { after: 'nextPage' },
    makes: ({ patients }) => ({ nextPage: patients?.pageInfo.hasNextPage ? patients.pageInfo.endCursor : null }),
  },
  {
    name: 'UpdatePatient',
    actor: 'desk',
    variables: {
      patient: '',
      expectedVersion: null,
      input: { bloodGroup: 'AB_NEGATIVE', medicalHistory: 'Asthma, well controlled; allergic to penicillin.' },
    },
    fills: { patient: 'patient', expectedVersion: 'patientVersion' },
    makes: ({ updatePatient }) => ({ patientVersion: updatePatient?.patient?.version }),
  },
  {
    name: 'StrangersAttempt',
    actor: 'stranger',
    variables: { patient: '', doctor: '' },
    fills: { patient: 'patient', doctor: 'doctor' },
  },
];

const texts = new Map(
  queries
    .split(/^(?=#! )/m)
    .filter(text => text.startsWith('#! '))
    .map(text => [/^#! (\w+)/.exec(text)![1]!, text.replace(/^.*\n/, '').trim() + '\n']),
);

/** The examples, in the order of the tour. */
export const examples: Example[] = withoutQuery.map(example => ({ ...example, query: texts.get(example.name)! }));

/** Questions that need no variables, for a new tab. */
export const starters = [
  { name: 'MyPatients', title: 'My patients and their doctors' },
  { name: 'Doctors', title: 'Doctors of the clinic' },
  { name: 'MyAccount', title: 'What happened to my account' },
].map(starter => ({ ...starter, query: texts.get(starter.name)! }));

/** The starter that shows most. */
export const nestedQuestion = starters[0]!.query;

/** The example whose operation has the name. */
export function exampleOf(operationName: string | null | undefined): Example | undefined {
  return examples.find(({ name }) => name === operationName);
}
