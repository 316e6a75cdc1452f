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
  { what: 'a key of AWS', pattern: '(^|[^A-Z0-9])(AKIA|ASIA)[A-Z0-9]{16}([^A-Z0-9]|$)' },
  { what: 'a token of GitHub', pattern: 'gh[pousr]_[A-Za-z0-9]{36}' },
  { what: 'a password in a URL', pattern: '(https?|ftp|amqps?|mongodb([+]srv)?|mysql|postgres(ql)?|rediss?)://[^/:@[:blank:]]*:[^/@[:blank:]]+@' },
  { what: 'a credential', pattern: '[Bb]asic [A-Za-z0-9+/]{16,}=' },
  { what: 'a credential', pattern: '--[a-z-]*(token|password)[ =][A-Za-z0-9._~+/=-]{16,}' },
  // By its name, as YAML, JSON, JSON in JSON and an environment have it; a path is none.
  { what: 'a credential', pattern: '([Tt]oken|TOKEN|[Pp]assword|PASSWORD|client-key-data|client-certificate-data|[Ss]ecret_?[Aa]ccess_?[Kk]ey|SECRET_ACCESS_KEY|\\.dockerconfigjson)[\\\\]?"?[[:blank:]]*[:=][[:blank:]]*[\\\\]?"?[A-Za-z0-9_~+=-][A-Za-z0-9._~+/=-]{15,}' },
  { what: 'a Secret', pattern: '^[[:blank:]]*"?kind"?[[:blank:]]*:[[:blank:]]*"?Secret"?,?[[:blank:]]*$' },
];

const compiled = CREDENTIALS.map(({ what, pattern }) => ({ what, regexp: new RegExp(pattern.replaceAll('[:blank:]', ' \\t'), 'm') }));

/** The first, by line, and of one line the first of the list. */
export function strayCredential(text: string): StrayCredential | null {
  let found: StrayCredential | null = null;
  for (const { what, regexp } of compiled) {
    const at = regexp.exec(text)?.index;
    const line = at === undefined ? Number.POSITIVE_INFINITY : lineAt(text, at);
    if (line < (found?.line ?? Number.POSITIVE_INFINITY)) found = { what, line };
  }
  return found;
}

const lineAt = (text: string, at: number): number => text.slice(0, at).split('\n').length;
