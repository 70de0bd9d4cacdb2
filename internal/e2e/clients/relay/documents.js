// The documents of relay.test.mjs, for Relay's compiler. Nothing imports this file: the test imports what the compiler makes.

graphql`
  query documentsPatientsQuery {
    patients(first: 10) @connection(key: "Clinic_patients") {
      totalCount
      edges { node { id name } }
    }
  }
`;

graphql`
  query documentsDoctorsQuery($id: ID!) {
    patient(id: $id) {
      doctors(first: 10) @connection(key: "Patient_doctors") {
        totalCount
        edges { node { id name } mapping { id notes } }
      }
    }
  }
`;

graphql`
  mutation documentsCreateMutation($input: CreatePatientInput!, $connections: [ID!]!) {
    createPatient(input: $input) {
      patientEdge @prependEdge(connections: $connections) { cursor node { id name } }
      query { patients(first: 0) { totalCount } }
      userErrors { code }
    }
  }
`;

graphql`
  mutation documentsAssignMutation($input: AssignDoctorInput!, $connections: [ID!]!) {
    assignDoctor(input: $input) {
      patientDoctorEdge @prependEdge(connections: $connections) { cursor node { id name } mapping { id notes } }
      userErrors { code }
    }
  }
`;

graphql`
  subscription documentsLiveSubscription {
    live {
      patients(first: 10) {
        totalCount
        edges { cursor node { id name } }
      }
    }
  }
`;
