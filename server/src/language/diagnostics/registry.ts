/** Every check, in the order in which they run. */
import type { Check } from './check.ts';
import { checkDuplicateNames } from './duplicate-name.ts';
import { checkUnknownNames } from './unknown-name.ts';

export const CHECKS: readonly Check[] = [checkUnknownNames, checkDuplicateNames];
