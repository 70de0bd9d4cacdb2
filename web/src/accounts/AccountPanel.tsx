import { useState } from 'react';
import { activeAccount, addAccount, dropAccount, useAccounts, type Account } from './accounts';
import { AccountForm } from './AccountForm';
import { useDemo } from '../demo/demo';
import { Choice } from '../shell/Choice';
import { forget } from '../tabs/history';
import { login, logout, register } from './operations';

type Props = {
  /** Called after the active account has changed. */
  onSignedIn: () => void;
  onClose: () => void;
};

/** Shows the active account; signs out, signs in and registers. */
export function AccountPanel({ onSignedIn, onClose }: Props) {
  useAccounts();
  const account = activeAccount();
  const isDemo = useDemo() !== null;
  return (
    <section id="account-panel" className="accounts" aria-label="Accounts">
      {account ? <WhoAmI account={account} onSignedOut={onSignedIn} /> : <Nobody isDemo={isDemo} />}
      {isDemo ? (
        <p className="forms">This is a demo: registration is closed, and no one has a password. Choose one of its people in the bar above.</p>
      ) : (
        <Forms onSignedIn={onSignedIn} onClose={onClose} />
      )}
    </section>
  );
}

function Forms({ onSignedIn, onClose }: Props) {
  const [form, setForm] = useState<'Sign in' | 'Register'>('Sign in');

  const done = (account: Account) => {
    addAccount(account);
    onClose();
    onSignedIn();
  };

  return (
    <div className="forms">
      <Choice label="What to do" options={['Sign in', 'Register']} chosen={form} onChoose={setForm} />
      {form === 'Sign in' ? (
        <AccountForm
          key="sign in"
          fields={['email', 'password']}
          submit="Sign in"
          send={({ email, password }) => login({ email, password })}
          onDone={done}
        />
      ) : (
        <AccountForm
          key="register"
          fields={['username', 'email', 'password', 'phone', 'role']}
          submit="Register"
          send={({ phone, ...input }) => register({ ...input, phone: phone || null })}
          onDone={done}
        />
      )}
    </div>
  );
}

function WhoAmI({ account, onSignedOut }: { account: Account; onSignedOut: () => void }) {
  const signOut = async () => {
    await logout(account);
    dropAccount(account.id);
    forget();
    onSignedOut();
  };
  const until = new Date(account.tokens.accessExpiresAt).toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' });
  return (
    <div className="me">
      <h2>You ask as</h2>
      <dl>
        <dt>Username</dt>
        <dd>{account.username}</dd>
        <dt>Role</dt>
        <dd>{account.role}</dd>
        <dt>E-mail</dt>
        <dd>{account.email}</dd>
        <dt>Id</dt>
        <dd>{account.id}</dd>
        <dt>Access token</dt>
        <dd>valid until {until}, renewed automatically</dd>
      </dl>
      <button type="button" className="button" onClick={signOut}>
        Sign out
      </button>
    </div>
  );
}

function Nobody({ isDemo }: { isDemo: boolean }) {
  return (
    <div className="me">
      <h2>You ask as nobody</h2>
      <p>The page sends no access token.</p>
      {!isDemo && (
        <p>
          Sign in or register, or run the example “Open an account”. Create an administrator on the server's command line:{' '}
          <code>caregraph admin create --email …</code>
        </p>
      )}
    </div>
  );
}
