import { readFileSync } from 'node:fs';
import type { TextEdit } from '../../server/src/language/syntax/tree.ts';

/** A small repeatable source of chance (mulberry32). */
export function chance(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * below);
  };
}

/** What people type and paste, and what breaks a tree most. */
const SNIPPETS = [
  '{', '}', '"', ';', '#', ',', '\n', ' ', '  ', '\t', '\r\n', '\r', '\0', '\ufeff', '\ud800', '\u00a0', 'a', '1', '->',
  '}\n', '{\n', '\n}\n', ' {}', '{ }', '}}', '\n  }\n', '\n\n', ' # comment\n', '# ', '#\n', '"x y"', ' ; ',
  'node host9 {\n', '\nnode host9', '\n  pod a on b {', 'pod a on b { ip 10.0.0.1 }\n', 'service s {\n', '\nexpect a -> b delivered\n',
  '  routes {\n', 'routes {\n default via 10.0.0.1\n}\n', 'iptables {\n*nat\n', 'table nat {\n', '  table nat { -A X -j Y }\n',
  '    -A X -j Y\n', '-A X -m comment --comment "a } b"\n', 'COMMIT\n', ':X - [0:0]\n', 'default via 10.0.0.1\n', '10.0.0.0/8 dev eth0\n',
  'sysctl { a = 1; b = 2 }\n', '  listen 53/UDP\n', '[', ']', '[{', '}]', ' } ]\n', '},{\n', '  routes {\n[ {\n    "dst": "default",\n  } ]\n}\n', '  fdb { [{"a":1}] }\n', '  links {\n  [\n {\n  "x": {\n }\n }\n ]\n }\n', '[{"dst":"10.0.0.0/8","metrics":[{"mtu":1400}]}]\n',
  'cluster', 'network n 10.0.0.0/8 { gateway 10.0.0.1 }', '  vni 1; port 8472',
];

export interface Step {
  readonly edit: TextEdit;
  readonly newText: string;
}

/** One edit at a random place: a snippet typed, a piece deleted, replaced, doubled or moved, or a line or block removed. */
export function randomEdit(text: string, next: (below: number) => number): Step {
  const start = next(text.length + 1);
  const snippet = SNIPPETS[next(SNIPPETS.length)] ?? '';
  const lineStart = text.lastIndexOf('\n', Math.max(0, start - 1)) + 1;
  const lineEnd = text.indexOf('\n', start) + 1 || text.length;
  const few = Math.min(text.length, start + next(12));
  const many = Math.min(text.length, start + next(400));
  const choices: readonly TextEdit[] = [
    { start, end: start, text: snippet },
    { start, end: start, text: snippet },
    { start: lineStart, end: lineStart, text: snippet },
    { start, end: few, text: '' },
    { start, end: Math.min(text.length, start + 1), text: '' },
    { start, end: few, text: snippet },
    { start: Math.min(lineStart, lineEnd), end: lineEnd, text: '' },
    { start, end: many, text: '' },
    { start, end: start, text: text.slice(start, many) },
    { start, end: many, text: text.slice(lineStart, start) },
    blockAt(text, start),
    { start, end: few, text: text.slice(start, few) },
  ];
  const edit = choices[next(choices.length)] ?? { start, end: start, text: snippet };
  return { edit, newText: text.slice(0, edit.start) + edit.text + text.slice(edit.end) };
}

/** Deletes from a `{` to the next `}`, with the braces or without. */
function blockAt(text: string, near: number): TextEdit {
  const open = text.indexOf('{', near);
  const close = text.indexOf('}', open);
  if (open < 0 || close < 0) return { start: near, end: near, text: '}' };
  return near % 2 === 0 ? { start: open, end: close + 1, text: '' } : { start: open, end: open + 1, text: '' };
}

/** Files to begin with: the examples, and small ones in which every form of statement and damage stands. */
export function startingTexts(): readonly string[] {
  const read = (name: string) => readFileSync(new URL(`../../examples/${name}`, import.meta.url), 'utf8');
  return [
    read('article.k8snet'), read('dual-stack.k8snet'), '', '\ufeff# only a comment',
    read('article.k8snet').replaceAll('\n', '\r\n'),
    'node a {\n  iptables {\n    table nat {\n      -A X -j Y\n      -A Z -j Y\n    }\n    table filter { -A F -j ACCEPT }\n  }\n  sysctl { a = 1; b = 2 }; labels x=y\n}\npod p on a { ip 10.0.0.1; routes { default via 1.1.1.1 } }\n',
    'node a { address 1.1.1.1/24 on n; routes {\n10.0.0.0/8 dev x\n\n# c\n20.0.0.0/8 dev x\n}\n}; node b { }\ncluster { flannel vxlan { vni 1 }\n kube-proxy iptables { masquerade-all\n }\n}\n',
  ];
}

