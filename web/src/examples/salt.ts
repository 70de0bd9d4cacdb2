// Not for secrets but against collisions: what must be the only one of its
// kind gets some of this into its name. crypto.randomUUID is there on HTTPS
// and localhost only, and clinics open the page by an address of their network.
export function salt(length = 6): string {
  const alphabet = 'abcdefghjkmnpqrstuvwxyz23456789';
  return Array.from(crypto.getRandomValues(new Uint8Array(length)), byte => alphabet[byte % alphabet.length]).join('');
}
