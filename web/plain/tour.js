// The tour: operations that run on a new server without edits, in this order.
// `as` names the part that sends it; `needs` names the records of earlier steps.

export const steps = [
  {
    title: "Register",
    makes: "desk",
    query: `# A front desk registers an account.
# The page signs it in with the tokens of the answer.
mutation Register($input: RegisterInput!) {
  register(input: $input) {
    user { id username email role }
    tokens { access accessExpiresAt refresh }
    userErrors { field code message }
  }
}`,
    variables: () => ({ input: person("desk") }),
  },
  {
    title: "Create a patient",
    as: "desk",
    query: `# The account that creates a record owns it.
mutation CreatePatient($input: CreatePatientInput!) {
  createPatient(input: $input) {
    patient { id name age version viewer { relations } }
    userErrors { field code message }
  }
}`,
    variables: () => ({
      input: {
        name: "Arjun Sharma",
        dateOfBirth: "1990-05-15",
        gender: "MALE",
        phone: "98765 43210",
        email: `arjun.${some()}@mail.example`,
        address: "12 MG Road, Bengaluru",
        emergencyContact: "98765 43211",
        bloodGroup: "B_POSITIVE",
        medicalHistory: "Asthma since childhood",
      },
    }),
  },
  {
    title: "Create a doctor",
    as: "doctor",
    query: `# A doctor adds herself to the list of doctors.
# Once an administrator has verified her, she sees her patients.
mutation CreateDoctor($input: CreateDoctorInput!) {
  createDoctor(input: $input) {
    doctor { id name specialization consultationFee isVerified }
    userErrors { field code message }
  }
}`,
    variables: () => ({
      input: {
        name: "Dr. Priya Patel",
        email: "priya.patel@clinic.example",
        phone: "98450 12345",
        specialization: "Pulmonology",
        licenseNumber: `KMC-${some().toUpperCase()}`,
        experienceYears: 12,
        address: "4 Residency Road, Bengaluru",
        consultationFee: "1500.00",
        availability: "Mon-Fri 9AM-5PM",
        isMe: true,
      },
    }),
  },
  {
    title: "Assign the doctor",
    as: "desk",
    needs: ["patient", "doctor"],
    query: `# From now on the doctor treats the patient.
# Only the patient's owner may assign one.
mutation Assign($input: AssignDoctorInput!) {
  assignDoctor(input: $input) {
    mapping { id isActive assignedAt patient { name } doctor { name } }
    userErrors { field code message }
  }
}`,
    variables: ({ patient, doctor }) => ({
      input: { patientId: patient?.id, doctorId: doctor?.id, notes: "Yearly check of the lungs" },
    }),
  },
  {
    title: "Patient and doctors",
    as: "desk",
    needs: ["patient"],
    query: care("", "# The graph. The account of a doctor is hidden\n# from the front desk: null, with an error."),
    variables: ({ patient }) => ({ patient: patient?.id }),
  },
  {
    title: "The same, redacted",
    as: "desk",
    needs: ["patient"],
    query: care(" @redact", "# With @redact there is no error:\n# extensions.redacted lists what is hidden."),
    variables: ({ patient }) => ({ patient: patient?.id }),
  },
  {
    title: "Search, page by page",
    as: "desk",
    query: `# Search compares only values that the caller may read.
# For the next page, pass endCursor as after.
query FindPatients($search: String, $after: String) {
  patients(first: 10, after: $after, search: $search, orderBy: { field: NAME }) {
    totalCount
    nodes { id name phone(format: NATIONAL) doctors { totalCount } }
    pageInfo { hasNextPage endCursor }
  }
}`,
    variables: () => ({ search: "sharma", after: null }),
  },
  {
    title: "Update what you saw",
    as: "desk",
    needs: ["patient"],
    query: `# Changes the record only if it still has this version.
# Run it twice: VERSION_CONFLICT.
mutation UpdatePatient($id: ID!, $input: UpdatePatientInput!, $version: Int) {
  updatePatient(id: $id, input: $input, expectedVersion: $version) {
    patient { id medicalHistory version updatedAt }
    userErrors { field code message }
  }
}`,
    variables: ({ patient }) => ({
      id: patient?.id,
      version: patient?.version,
      input: { medicalHistory: "Asthma since childhood; allergic to penicillin" },
    }),
  },
  {
    title: "A stranger's attempt",
    as: "stranger",
    needs: ["patient", "doctor"],
    query: `# For a stranger the patient does not exist.
# The doctor does, without private fields.
query Stranger($patient: ID!, $doctor: ID!) {
  patient(id: $patient) { name phone medicalHistory }
  patients { totalCount }
  doctor(id: $doctor) {
    name
    specialization
    account { username }
    patients { totalCount }
  }
}`,
    variables: ({ patient, doctor }) => ({ patient: patient?.id, doctor: doctor?.id }),
  },
];

function care(directive, comment) {
  return `${comment}
query Care($patient: ID!)${directive} {
  patient(id: $patient) {
    name
    age
    bloodGroup
    medicalHistory
    viewer { relations }
    doctors {
      edges {
        mapping { assignedAt notes }
        node {
          name
          account { username }
          viewer { redactedFields }
        }
      }
    }
  }
}`;
}

const people = {
  desk: { username: "front_desk", role: "PATIENT" },
  doctor: { username: "dr_priya", role: "DOCTOR" },
  stranger: { username: "stranger", role: "PATIENT" },
};

// person returns the RegisterInput of a new account for a part.
export function person(part) {
  const username = `${people[part].username}_${some()}`;
  return { username, email: `${username}@clinic.example`, password: `${some(5)}-${some(5)}-${some(5)}`, role: people[part].role };
}

// some returns random letters and digits, without those that look alike.
function some(length = 4) {
  const letters = "abcdefghjkmnpqrstuvwxyz23456789";
  return Array.from(crypto.getRandomValues(new Uint32Array(length)), (n) => letters[n % letters.length]).join("");
}

// Made keeps the ids and versions of records that mutations created, and nothing else.
export class Made {
  #records = {};
  #kinds = { pat: "patient", doc: "doctor", map: "mapping" };

  get records() {
    return this.#records;
  }

  clear() {
    this.#records = {};
  }

  // learn reads the data of an answer. Queries only update versions.
  learn(data, byMutation) {
    if (data === null || typeof data !== "object") return;
    const kind = this.#kinds[/^(pat|doc|map)_/.exec(data.id)?.[1]];
    const known = this.#records[kind];
    if (kind && (byMutation || known?.id === data.id)) {
      const same = known?.id === data.id ? known : {};
      this.#records[kind] = { id: data.id, version: data.version ?? same.version };
    }
    for (const value of Object.values(data)) this.learn(value, byMutation);
  }
}
