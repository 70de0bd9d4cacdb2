import { useId, useState, type FormEvent } from 'react';
import type { Account } from './accounts';
import type { RegisterInput, SignedIn, UserError } from './operations';

type FieldName = keyof RegisterInput;
type Values = Record<FieldName, string>;

const controls: Record<FieldName, { label: string; type?: string; autoComplete?: string; options?: string[] }> = {
  username: { label: 'Username', autoComplete: 'username' },
  email: { label: 'E-mail', type: 'email', autoComplete: 'email' },
  password: { label: 'Password', type: 'password' },
  phone: { label: 'Phone (may stay empty)', type: 'tel', autoComplete: 'tel' },
  role: { label: 'Role', options: ['PATIENT', 'DOCTOR'] },
};

type Props = {
  fields: FieldName[];
  submit: string;
  send: (values: Values) => Promise<SignedIn>;
  onDone: (account: Account) => void;
};

/** A form that signs an account in, or shows the errors at their fields. */
export function AccountForm({ fields, submit, send, onDone }: Props) {
  const [faults, setFaults] = useState<UserError[]>([]);
  const [isSending, setSending] = useState(false);

  const onSubmit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const values = Object.fromEntries(new FormData(event.currentTarget)) as Values;
    setSending(true);
    const outcome = await send(values);
    setSending(false);
    if ('account' in outcome) {
      onDone(outcome.account);
    } else {
      setFaults(outcome.faults);
    }
  };

  const faultOf = (name: FieldName) => faults.find(({ field }) => field?.at(-1) === name)?.message;
  const others = faults.filter(({ field }) => !fields.includes(field?.at(-1) as FieldName));

  return (
    <form onSubmit={onSubmit}>
      {fields.map(name => (
        <Field key={name} name={name} isNew={submit === 'Register'} fault={faultOf(name)} />
      ))}
      {others.map(({ message }) => (
        <p key={message} className="fault" role="alert">
          {message}
        </p>
      ))}
      <button type="submit" className="button primary" disabled={isSending}>
        {submit}
      </button>
    </form>
  );
}

type FieldProps = { name: FieldName; isNew: boolean; fault: string | undefined };

function Field({ name, isNew, fault }: FieldProps) {
  const id = useId();
  const { label, type = 'text', autoComplete, options } = controls[name];
  const shared = { id, name, 'aria-invalid': Boolean(fault), 'aria-describedby': fault ? `${id}-fault` : undefined };
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {options ? (
        <select {...shared}>
          {options.map(option => (
            <option key={option}>{option}</option>
          ))}
        </select>
      ) : (
        <input
          {...shared}
          type={type}
          required={name !== 'phone'}
          autoComplete={autoComplete ?? (isNew ? 'new-password' : 'current-password')}
        />
      )}
      {fault && (
        <p id={`${id}-fault`} className="fault" role="alert">
          {fault}
        </p>
      )}
    </div>
  );
}
