/** A step of the tour: the name of its example, and what it does in plain words. */
export type Step = { name: string; title: string; text?: string | undefined };

export const tourSteps: Step[] = [
  { name: 'Register', title: 'Open an account', text: 'You are the front desk of a clinic now.' },
  { name: 'CreatePatient', title: 'Create a patient', text: 'Your account created the record, so it is the owner.' },
  { name: 'CreateDoctor', title: 'Create a doctor', text: 'A doctor with an account of her own writes her entry.' },
  { name: 'AssignDoctor', title: 'Assign the doctor', text: 'Only the owner of the patient says who treats them.' },
  { name: 'PatientGraph', title: 'Read all of it at once', text: 'The patient, the doctors and the notes in one answer. One value is hidden from you.' },
  { name: 'GraphRedacted', title: 'Read it without errors', text: 'With @redact a hidden value is in a list and no error.' },
  { name: 'SearchPatients', title: 'Search, page by page', text: 'A list shows and counts only what you may see.' },
  { name: 'UpdatePatient', title: 'Change what you have read', text: 'If a colleague was faster, your change is refused and not lost.' },
  { name: 'StrangersAttempt', title: 'Ask as a stranger', text: 'For a stranger the patient does not exist.' },
];
