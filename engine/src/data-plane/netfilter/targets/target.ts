/** What a target does with the packet that its rule matched. */
import type { Fate, Skb } from '../../run-state.ts';

export type TargetResult =
  /** The next rule looks at it. */
  | { readonly kind: 'continue'; readonly skb: Skb }
  | { readonly kind: 'accept'; readonly skb: Skb }
  | { readonly kind: 'ended'; readonly fate: Fate };

export const goOn = (skb: Skb): TargetResult => ({ kind: 'continue', skb });
export const accept = (skb: Skb): TargetResult => ({ kind: 'accept', skb });
export const ended = (fate: Fate): TargetResult => ({ kind: 'ended', fate });
