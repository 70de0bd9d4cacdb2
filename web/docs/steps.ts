import { salt } from '../src/examples/salt';
import type { Person } from './demo';

/** The ids of the records that the story has created. */
export type Made = { patient?: number; doctor?: number; assigned?: boolean };

export type Call = { method: 'GET' | 'POST'; path: string; body?: Record<string, unknown> };

export type Step = {
  title: string;
  words: string;
  /** The request of the step; undefined while an earlier step is missing. */
  call(made: Made): Call | undefined;
  /** What the answer adds. */
  makes?(body: any): Made;
  /** Whether it needs the token of an account. */
  needsToken: boolean;
};

/**
 * The steps of the story. Names are new for each visit, so that it runs again on the same server. On a demo server
 * registration is closed, so the story begins as the owner of its patients.
 */
export function newStory(owner: Person | undefined): Step[] {
  const license = `CARD-${salt().toUpperCase()}`;
  return [
    owner ? continueAs(owner) : openAccount(),
    {
      title: 'Create a patient',
      words: 'The account that creates a record owns it.',
      call: () =>
        post('patients/', {
          name: 'Arjun Sharma',
          date_of_birth: '1990-05-15',
          gender: 'male',
          phone: '90080 20001',
          email: `arjun.${salt()}@mail.example`,
          address: '12 MG Road, Bengaluru',
          emergency_contact: '90080 30001',
          blood_group: 'B+',
          medical_history: 'Hypertension since 2021. Allergic to penicillin.',
        }),
      makes: ({ id }) => ({ patient: id }),
      needsToken: true,
    },
    {
      title: 'Create a doctor',
      words: 'Every account may enter a doctor. An administrator verifies the entry later.',
      call: () =>
        post('doctors/', {
          name: 'Dr. Priya Patel',
          email: 'priya.patel@clinic.example',
          phone: '90080 10001',
          specialization: 'Cardiology',
          license_number: license,
          experience_years: 12,
          address: '4 Residency Road, Bengaluru',
          consultation_fee: '900.00',
          availability: 'Mon-Fri 9AM-1PM',
        }),
      makes: ({ id }) => ({ doctor: id }),
      needsToken: true,
    },
    {
      title: 'Assign the doctor',
      words: 'Only the owner of the patient may do that.',
      call: ({ patient, doctor }) => (patient && doctor ? post('mappings/', { patient, doctor, notes: 'Blood pressure 148/92 at the last visit. Review in four weeks.' }) : undefined),
      makes: () => ({ assigned: true }),
      needsToken: true,
    },
    {
      title: 'Read it in one answer',
      words: 'Each assignment contains its patient and its doctor. A stranger who sends this gets 404.',
      call: ({ patient, assigned }) => (patient && assigned ? { method: 'GET', path: `/api/patients/${patient}/mappings/` } : undefined),
      needsToken: true,
    },
  ];
}

function openAccount(): Step {
  const name = `rahul_${salt()}`;
  const password = `${salt(8)}-${salt(8)}`;
  return {
    title: 'Open an account',
    words: 'Everyone may register. The answer has the tokens; this page signs in with them and sends them from now on.',
    call: () => post('auth/register/', { username: name, email: `${name}@clinic.example`, password, role: 'patient' }),
    needsToken: false,
  };
}

const continueAs = ({ id, name }: Person): Step => ({
  title: `Continue as ${name}`,
  words: 'On this demo registration is closed, and its people need no password. The answer has the tokens; this page signs in with them and sends them from now on.',
  call: () => ({ method: 'POST', path: '/demo/continue', body: { id } }),
  needsToken: false,
});

const post = (path: string, body: Record<string, unknown>): Call => ({ method: 'POST', path: `/api/${path}`, body });

/** The nested question of the last step for the playground. */
export const nested = (patient: number) => ({
  query: `# The nested answer of /docs/, as one question of your own shape.
query Nested($patient: ID!) {
  patient(id: $patient) {
    name
    bloodGroup
    medicalHistory
    doctors(first: 5) {
      edges {
        node { name specialization }
        mapping { assignedAt notes }
      }
    }
    viewer { relations }
  }
}
`,
  variables: { patient: `pat_${patient}` },
  operationName: 'Nested',
});
