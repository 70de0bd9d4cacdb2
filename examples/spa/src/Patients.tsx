import { useMutation, useQuery, useSubscription } from '@apollo/client/react';
import { useEffect, useState } from 'react';
import * as documents from './documents';
import { EditPatient } from './EditPatient';
import type { PatientCardFragment } from './gql/graphql';
import { keep } from './session';

export function Patients() {
  const [text, setText] = useState('');
  const [editing, setEditing] = useState<PatientCardFragment>();
  const { data: account } = useQuery(documents.Me);
  const [logout] = useMutation(documents.Logout);
  // #region list
  const variables = { search: useSettled(text) };
  const { data, previousData, error } = useQuery(documents.Patients, { variables });
  const live = useSubscription(documents.LivePatients, { variables });
  const { totalCount, nodes } = (data ?? previousData)?.patients ?? { nodes: [] };
  // #endregion
  return (
    <>
      <header>
        <h1>Patients</h1>
        <span>{account?.me?.username}</span>
        <button onClick={() => logout().catch(() => {}).then(() => keep(null))}>Sign out</button>
      </header>
      <main>
        <input type="search" placeholder="Name, number or phone" aria-label="Search" value={text} onChange={event => setText(event.target.value)} />
        <p role="status">{totalCount === undefined ? 'Loading' : `${nodes.length} of ${totalCount}`}</p>
        {(error ?? live.error) && <p role="alert">{(error ?? live.error)!.message}</p>}
        <ul>{nodes.map(patient => <Card key={patient.id} patient={patient} edit={() => setEditing(patient)} />)}</ul>
      </main>
      {editing && <EditPatient patient={editing} close={() => setEditing(undefined)} />}
    </>
  );
}

/** The text, once nobody has typed for a moment. */
function useSettled(text: string) {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), 250);
    return () => clearTimeout(timer);
  }, [text]);
  return settled;
}

function Card({ patient, edit }: { patient: PatientCardFragment; edit: () => void }) {
  const { name, age, recordNumber, address, doctors, viewer } = patient;
  return (
    <li>
      <h2>{name}</h2>
      <p>{[`${age} years`, recordNumber, address].filter(Boolean).join(' · ')}</p>
      <p>Blood group: <Value patient={patient} field="bloodGroup" /></p>
      <p>History: <Value patient={patient} field="medicalHistory" /></p>
      <ul>
        {doctors.nodes.map(doctor => <li key={doctor.id}>{doctor.name}, {doctor.specialization}</li>)}
        {doctors.totalCount > doctors.nodes.length && <li>{doctors.totalCount - doctors.nodes.length} more</li>}
      </ul>
      {viewer.writableFields.length > 0 && <button aria-label={`Edit ${name}`} onClick={edit}>Edit</button>}
    </li>
  );
}

// #region hidden
/** A value, or a chip if it is hidden: without it, a hidden value would look like an empty one. */
function Value({ patient, field }: { patient: PatientCardFragment; field: 'bloodGroup' | 'medicalHistory' }) {
  const isHidden = patient.viewer.redactedFields.includes(field);
  return isHidden ? <span className="chip" title="Your account may not read this.">hidden</span> : <>{patient[field] ?? '–'}</>;
}
// #endregion
