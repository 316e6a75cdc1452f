/** What this workspace remembers: the last partner of each party, and the question that the panel shows. */
import type { Memento } from 'vscode';
import { isQuestion } from '../../webview/src/protocol.ts';
import type { Question } from '../../webview/src/protocol.ts';

const PARTNER = 'k8snet.partner';
const SHOWN = 'k8snet.shown';

export interface Shown {
  /** Of the document. */
  readonly uri: string;
  readonly question: Question;
}

/** Whose choices: a declaration's in one document, or the document's own. Another document's names mean nothing to it. */
export interface Asked {
  readonly uri: string;
  readonly kind: string;
  readonly party: string;
}

export interface Memory {
  /** What was chosen last, as a trace's `from` or `to` takes it. `role` tells the choices of one party apart. */
  partner(of: Asked, role: string): string | undefined;
  rememberPartner(of: Asked, role: string, chosen: string): void;
  shown(): Shown | undefined;
  rememberShown(shown: Shown | undefined): void;
}

export function memoryIn(state: Memento): Memory {
  const key = ({ uri, kind, party }: Asked, role: string): string => `${PARTNER}/${role}/${kind}/${party}/${uri}`;
  return {
    partner(of, role) {
      const found = state.get<unknown>(key(of, role));
      return typeof found === 'string' ? found : undefined;
    },
    rememberPartner: (of, role, chosen) => void state.update(key(of, role), chosen),
    shown() {
      const found = state.get<unknown>(SHOWN);
      return isShown(found) ? found : undefined;
    },
    rememberShown: (shown) => void state.update(SHOWN, shown),
  };
}

const isShown = (value: unknown): value is Shown =>
  typeof value === 'object' && value !== null && 'uri' in value && typeof value.uri === 'string' && 'question' in value && isQuestion(value.question);
