/** Tokens, keys and certificates, which no dump should hold. `k8snet collect` looks for the same before it ends. */

export interface StrayCredential {
  readonly what: string;
  /** From 1. */
  readonly line: number;
}

/**
 * POSIX extended regular expressions, which grep -E and this runtime read alike: the script that `k8snet collect` prints
 * has the same list.
 */
export const CREDENTIALS: readonly { readonly what: string; readonly pattern: string }[] = [
  { what: 'a JSON web token', pattern: 'eyJ[A-Za-z0-9_-]{8,}[.]eyJ[A-Za-z0-9_-]{8,}[.][A-Za-z0-9_-]{8,}' },
  { what: 'a private key', pattern: '-----BEGIN [A-Z ]*PRIVATE KEY-----' },
  { what: 'a certificate', pattern: '-----BEGIN CERTIFICATE-----' },
  { what: 'a key or certificate in base64', pattern: 'LS0tLS1CRUdJTi[A-Za-z0-9+/=]{20,}' },
  { what: 'a bearer token', pattern: '[Bb]earer [A-Za-z0-9._~+/=-]{16,}' },
  { what: 'a credential', pattern: '"?(token|client-key-data|client-certificate-data|password|secretAccessKey)"?[[:blank:]]*:[[:blank:]]*"?[A-Za-z0-9._~+/=-]{16,}' },
  { what: 'a Secret', pattern: '^[[:blank:]]*"?kind"?[[:blank:]]*:[[:blank:]]*"?Secret"?,?[[:blank:]]*$' },
];

const compiled = CREDENTIALS.map(({ what, pattern }) => ({ what, regexp: new RegExp(pattern.replaceAll('[:blank:]', ' \\t'), 'm') }));

/** The first, by line. */
export function strayCredential(text: string): StrayCredential | null {
  let found: { readonly what: string; readonly at: number } | null = null;
  for (const { what, regexp } of compiled) {
    const at = regexp.exec(text)?.index;
    if (at !== undefined && (found === null || at < found.at)) found = { what, at };
  }
  if (found === null) return null;
  return { what: found.what, line: text.slice(0, found.at).split('\n').length };
}
