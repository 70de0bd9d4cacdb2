import { ApolloProvider } from '@apollo/client/react';
import { StrictMode, useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { createApollo } from './client';
import { Patients } from './Patients';
import { useAccount } from './session';
import { SignIn } from './SignIn';
import './style.css';

function App() {
  const account = useAccount();
  return account ? <SignedIn key={account} /> : <SignIn />;
}

function SignedIn() {
  const [apollo, setApollo] = useState<ReturnType<typeof createApollo>>();
  useEffect(() => {
    const created = createApollo();
    setApollo(created);
    return created.close;
  }, []);
  return apollo && <ApolloProvider client={apollo.client}><Patients /></ApolloProvider>;
}

createRoot(document.querySelector('#app')!).render(<StrictMode><App /></StrictMode>);
