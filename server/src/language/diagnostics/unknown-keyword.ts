import { defineDiagnostic, replacement } from './define.ts';
import { didYouMean } from '../bind/did-you-mean.ts';

/** `allowed`: the keywords that this place takes. */
export const unknownKeyword = defineDiagnostic<{ readonly word: string; readonly place: string; readonly allowed: readonly string[]; readonly instead: string | undefined }>({
  code: 'K8N1006',
  slug: 'unknown-keyword',
  severity: 'error',
  message: (p) => `'${p.word}' means nothing ${p.place}${p.instead === undefined ? `; what can stand here: ${p.allowed.join(', ')}` : didYouMean(p.instead)}`,
  fix: (p, at) => replacement(p.instead, at),
});
