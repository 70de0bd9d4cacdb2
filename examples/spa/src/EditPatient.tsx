import { useMutation } from '@apollo/client/react';
import { useEffect, useRef, useState, type FormEvent } from 'react';
import { UpdatePatient } from './documents';
import type { PatientCardFragment } from './gql/graphql';

const LABELS = { address: 'Address', medicalHistory: 'History' };
type Field = keyof typeof LABELS;
const FIELDS = Object.keys(LABELS) as Field[];

export function EditPatient({ patient, close }: { patient: PatientCardFragment; close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (!dialog.current?.open) dialog.current?.showModal();
  }, []);
  // What the person has seen. The list is live, so it may show a newer version while the dialog is open.
  const [seen] = useState(patient);
  const [values, setValues] = useState({ address: patient.address ?? '', medicalHistory: patient.medicalHistory ?? '' });
  const [newer, setNewer] = useState<PatientCardFragment>();
  const [update, { loading, error, data }] = useMutation(UpdatePatient);
  const changed = FIELDS.filter(field => values[field] !== (seen[field] ?? ''));

  // #region save
  async function save(event: FormEvent, expectedVersion: number) {
    event.preventDefault();
    const input = Object.fromEntries(changed.map(field => [field, values[field] || null]));
    const answer = await update({ variables: { id: patient.id, input, expectedVersion } }).catch(() => undefined);
    const payload = answer?.data?.updatePatient;
    if (payload?.userErrors.length === 0) close();
    // The payload has the record as it is now: show it, and let the person decide.
    if (payload?.userErrors[0]?.code === 'VERSION_CONFLICT' && payload.patient) setNewer(payload.patient);
  }
  // #endregion

  const problem = error?.message ?? data?.updatePatient?.userErrors.map(({ message }) => message).join(' ');
  return (
    <dialog ref={dialog} onClose={close} aria-label={patient.name}>
      <form onSubmit={event => save(event, newer?.version ?? seen.version)}>
        <h2>{patient.name}</h2>
        {problem && <p role="alert">{newer ? 'Someone has changed this patient since you opened it.' : problem}</p>}
        {FIELDS.filter(field => patient.viewer.writableFields.includes(field)).map(field => (
          <label key={field}>
            {LABELS[field]}
            {newer && newer[field] !== seen[field] && <span>Now: {newer[field] ?? '–'}</span>}
            <textarea value={values[field]} onChange={event => setValues({ ...values, [field]: event.target.value })} />
          </label>
        ))}
        <button disabled={loading || changed.length === 0}>{newer ? 'Save mine' : 'Save'}</button>
        <button type="button" onClick={close}>{newer ? 'Keep theirs' : 'Cancel'}</button>
      </form>
    </dialog>
  );
}
