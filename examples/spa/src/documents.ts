import { graphql } from './gql';

// Hidden values are null without an error, because of @redact. `redactedFields` says which ones are hidden.
export const PatientCard = graphql(`
  fragment PatientCard on Patient {
    id name age recordNumber address bloodGroup medicalHistory version
    viewer { redactedFields writableFields }
    doctors(first: 5) { totalCount nodes { id name specialization } }
  }
`);

// #region live
// The list and its subscription ask for the same fields with the same arguments. Each push has the __typename Query, so
// Apollo Client writes it to the place in its cache from which the list is read: nothing else is needed.
export const PatientsPage = graphql(`
  fragment PatientsPage on Query {
    patients(first: 50, search: $search, orderBy: { field: NAME }) { totalCount nodes { ...PatientCard } }
  }
`);
export const Patients = graphql(`query Patients($search: String) @redact { ...PatientsPage }`);
export const LivePatients = graphql(`
  subscription LivePatients($search: String) @redact { live { __typename ...PatientsPage } }
`);
// #endregion

export const UpdatePatient = graphql(`
  mutation UpdatePatient($id: ID!, $input: UpdatePatientInput!, $expectedVersion: Int!) @redact {
    updatePatient(id: $id, input: $input, expectedVersion: $expectedVersion) {
      patient { ...PatientCard }
      userErrors { code message }
    }
  }
`);

export const Me = graphql(`query Me { me { id username } }`);
export const Logout = graphql(`mutation Logout { logout { userErrors { code } } }`);
