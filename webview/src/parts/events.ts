/** What parts tell the panel: actions on the state, and questions and lines for the editor. */
import { decidingStep, hopsOf, lineOf, type SourceLine } from '../../../engine/src/trace/annotate.ts';
import type { Branch } from '../../../engine/src/trace/model.ts';
import type { Repair } from '../../../engine/src/verify/explanation.ts';
import type { Question } from '../protocol.ts';
import type { Action } from '../state/model.ts';

interface PanelEvents {
  readonly action: Action;
  readonly ask: Question;
  readonly reveal: SourceLine;
  readonly capture: null;
  readonly apply: Repair;
}

/** Bubbles out of the parts' shadow trees. */
export function tell<Name extends keyof PanelEvents>(from: EventTarget, name: Name, detail: PanelEvents[Name]): void {
  from.dispatchEvent(new CustomEvent(`k8snet-${name}`, { detail, bubbles: true, composed: true }));
}

export function listen<Name extends keyof PanelEvents>(on: EventTarget, name: Name, handle: (detail: PanelEvents[Name]) => void): void {
  on.addEventListener(`k8snet-${name}`, (event) => { handle((event as CustomEvent<PanelEvents[Name]>).detail); });
}

/** The editor is asked for the line that says most of this hop, where there is one. */
export function revealHop(from: EventTarget, branch: Branch | null, number: number): void {
  const hop = branch === null ? undefined : hopsOf(branch)[number - 1];
  const step = hop === undefined ? null : decidingStep(hop);
  const at = step === null ? null : lineOf(step);
  if (at !== null) tell(from, 'reveal', at);
}
