import { useState, type FormEvent } from 'react';
import { signIn } from './session';

export function SignIn() {
  const [problem, setProblem] = useState('');
  const [needsCode, setNeedsCode] = useState(false);

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const { email, password, otp } = Object.fromEntries(new FormData(event.currentTarget)) as Record<string, string>;
    try {
      const errors = await signIn({ email: email!, password: password!, otp });
      if (errors.some(({ code }) => code === 'OTP_REQUIRED')) setNeedsCode(true);
      setProblem(errors.map(({ message }) => message).join(' '));
    } catch {
      setProblem('The server does not answer. Try again.');
    }
  }

  return (
    <form className="sign-in" onSubmit={submit}>
      <h1>Patients</h1>
      <label>E-mail <input name="email" type="email" autoComplete="username" required /></label>
      <label>Password <input name="password" type="password" autoComplete="current-password" required /></label>
      {needsCode && <label>Code <input name="otp" inputMode="numeric" autoComplete="one-time-code" required /></label>}
      {problem && <p role="alert">{problem}</p>}
      <button>Sign in</button>
    </form>
  );
}
