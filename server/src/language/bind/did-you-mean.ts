/** `; did you mean 'host1'?`, or nothing. */
export const didYouMean = (suggestion: string | undefined): string => (suggestion === undefined ? '' : `; did you mean '${suggestion}'?`);
