/** Reasons as numbers: their places in REASON_CODES. */
import { REASON_CODES } from '../../trace/reasons.ts';
import type { ReasonCode } from '../../trace/reasons.ts';

export const reasonId = (code: ReasonCode): number => REASON_CODES.indexOf(code);
