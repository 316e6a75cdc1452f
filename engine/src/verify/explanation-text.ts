/** An explanation for a terminal: the causes in order, what came nearest, and what each repair changes. */
import { ownerText, placeText } from './candidate.ts';
import type { Edit, Explanation, TriedRepair } from './explanation.ts';

/** Lines of one repair that are worth reading at once. */
const MOST_LINES = 12;

/** Lines without their ends; what each repair changes is told of the first. */
export function explanationLines({ causes, repairs }: Explanation): readonly string[] {
  const numbered = causes.length > 1;
  return [
    ...causes.flatMap((cause, i) => [`cause${numbered ? ` ${i + 1}` : ''}: ${cause.sentence}`, ...(cause.nearest === null ? [] : [`  nearest: ${cause.nearest.sentence}`])]),
    ...repairs.flatMap((repair, i) => [`${i === 0 ? 'repair' : 'or'}: ${repair.title}`, ...(i === 0 ? [...shortened(repair.edits.flatMap(editLines)), ...shortened(commandLines(repair))].map((line) => `  ${line}`) : [])]),
  ];
}

const shortened = (lines: readonly string[]): readonly string[] => (lines.length <= MOST_LINES ? lines : [...lines.slice(0, MOST_LINES - 1), `… and ${lines.length - MOST_LINES + 1} more lines (--json has all)`]);

/** `on host1: iptables -D …`; the lines of a here-document stand below. */
export const commandLines = ({ commands }: TriedRepair): readonly string[] => commands.flatMap(({ on, command }) => (on === 'kubectl' ? command : `on ${on}: ${command}`).split('\n'));

/** `+` what is added, `-` the places of what goes. */
export function editLines(edit: Edit): readonly string[] {
  switch (edit.kind) {
    case 'lines':
      return [`${ownerText(edit.owner)} ${edit.block}${edit.table === null ? '' : ` (${edit.table})`}${edit.before === null ? '' : `, before ${placeText(edit.before)}`}:`, ...edit.remove.map((at) => `- ${placeText(at)}`), ...edit.add.map((line) => `+ ${line}`)];
    case 'words':
    case 'name':
      return [`${placeText(edit.at)}: ${edit.from} → ${edit.to}`];
    case 'statement':
      return [`${ownerText(edit.owner)}${edit.inside === null ? '' : ` ${edit.inside}`}: ${edit.text === null ? `- ${edit.keyword}` : `+ ${edit.text}`}`];
    case 'declaration':
      return edit.text.split('\n').map((line) => `+ ${line}`);
  }
}
