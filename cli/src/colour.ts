/** ANSI colours over the text of a trace, line by line: the text itself stays as it is. */

const ESCAPE = '\u001b';
const BOLD = 1;
const DIM = 2;
const RED = 31;
const GREEN = 32;
const YELLOW = 33;
const CYAN = 36;
const paint = (code: number, text: string): string => `${ESCAPE}[${code}m${text}${ESCAPE}[0m`;

const OUTCOMES: readonly (readonly [RegExp, number])[] = [
  [/^(reply: |branch .*%: | +\d+ {2}[\d.]+ % +)?delivered\b/, GREEN],
  [/^(reply: |branch .*%: | +\d+ {2}[\d.]+ % +)?(dropped|rejected|unreachable|looped)\b/, RED],
  [/^(reply: |branch .*%: | +\d+ {2}[\d.]+ % +)?undecided\b/, YELLOW],
  [/^cause( \d+)?: /, RED],
  [/^repair: /, GREEN],
  [/^(request$|answer: )/, BOLD],
];

const WORDS: readonly (readonly [RegExp, number])[] = [
  [/^(DROP|REJECT|END|MARTIAN)$/, RED],
  [/^(UNDECIDED|assumed)$/, YELLOW],
  [/^delivered$/, GREEN],
  [/./, CYAN],
];

const codeOf = (text: string, among: readonly (readonly [RegExp, number])[]): number | undefined => among.find(([pattern]) => pattern.test(text))?.[1];

export const coloured = (text: string): string => text.split('\n').map(colouredLine).join('\n');

function colouredLine(line: string): string {
  const outcome = codeOf(line, OUTCOMES);
  if (outcome !== undefined) return paint(outcome, line);
  const [, hop, packet] = /^( *\d+ {2}.*? (?:in|out))((?: {3}.*)?)$/.exec(line) ?? [];
  if (hop !== undefined) return `${paint(BOLD, hop)}${changes(packet ?? '')}`;
  if (line.startsWith('      · ')) return paint(DIM, line);
  const [, word, rest] = /^ {6}([^ ]+)( .*)$/.exec(line) ?? [];
  return word === undefined ? sourceBack(line) : `      ${paint(codeOf(word, WORDS) ?? CYAN, word)}${sourceBack(rest ?? '')}`;
}

const changes = (packet: string): string => packet.replace(/\(was [^)]*\)|(?<= )[+-](?= )/g, (change) => paint(YELLOW, change));

/** Where a step came from stands back behind what it did. */
const sourceBack = (line: string): string => line.replace(/ {2}\[[^[]+\]$/, (source) => paint(DIM, source));
