/** ANSI colours over the text of a trace, line by line: the text itself stays as it is. */

const ESCAPE = '\u001b';
const paint = (code: number, text: string): string => `${ESCAPE}[${code}m${text}${ESCAPE}[0m`;
const BOLD = 1;
const DIM = 2;
const RED = 31;
const GREEN = 32;
const YELLOW = 33;

const ENDS: readonly (readonly [RegExp, number])[] = [
  [/^(reply: )?delivered\b/, GREEN],
  [/^(reply: )?(dropped|rejected|unreachable|looped)\b/, RED],
  [/^(reply: )?undecided\b/, YELLOW],
  [/^(branch \d|request$|answer: )/, BOLD],
  [/^ +\d+ {2}/, BOLD],
  [/^ {6}\+ /, GREEN],
  [/^ {6}~ /, YELLOW],
  [/^ {6}- /, RED],
];

export const coloured = (text: string): string => text.split('\n').map(colouredLine).join('\n');

function colouredLine(line: string): string {
  const code = ENDS.find(([pattern]) => pattern.test(line))?.[1];
  if (code !== undefined) return paint(code, line);
  // Where a step came from stands back behind what it did.
  return /^ {6,}[^ ]/.test(line) ? line.replace(/\[[^[]+\]$/, (source) => paint(DIM, source)) : line;
}
