import { salt } from './salt';

// Values that must be unique on the server.
export const newUsername = () => `asha_${salt()}`;
export const newEmail = () => `asha.${salt()}@clinic.example`;
export const newLicense = () => `KMC-${salt().toUpperCase()}`;

export const examplePassword = 'Morning-Rounds-7';
