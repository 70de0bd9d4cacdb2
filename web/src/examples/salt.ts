// Random characters that make names unique. Not for secrets. crypto.randomUUID
// exists only on HTTPS and localhost, and clinics open the page by an address of
// their network.
export function salt(length = 6): string {
  const alphabet = 'abcdefghjkmnpqrstuvwxyz23456789';
  return Array.from(crypto.getRandomValues(new Uint8Array(length)), byte => alphabet[byte % alphabet.length]).join('');
}
