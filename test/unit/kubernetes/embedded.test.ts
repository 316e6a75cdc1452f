/** What is wrong inside a text that a ConfigMap holds is told where it stands in the file. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { readObjects } from '../../../server/src/language/kubernetes/read.ts';
import { sourceWithin } from '../../../server/src/language/kubernetes/embedded.ts';
import { readJson } from '../../../server/src/language/kubernetes/json.ts';
import { readYaml } from '../../../server/src/language/kubernetes/yaml.ts';

const CONFLIST = `{
  "name": "cbr0",
  "plugins": [
    { "type": "flannel", "delegate": { "hairpinMode": false, "isDefaultGateway": true } },
    { "type": "portmap", "snat": false }
  ]
}
`;
const NET_CONF = `{
  "Network": "10.244.0.0/33",
  "EnableNFTables": true,
  "Backend": { "Type": "wireguard" }
}
`;
const CONFIG = `mode: iptables
clusterCIDR: "10.244.0.0/16,10.300.0.0/16"
iptables:
  masqueradeBit: 15
nodePortAddresses:
  - 10.0.0.0/8
  - nonsense
`;

const map = (name: string, data: Readonly<Record<string, string>>): object => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'kube-system' }, data });
const FLANNEL = map('kube-flannel-cfg', { 'cni-conf.json': CONFLIST, 'net-conf.json': NET_CONF });
const PROXY = map('kube-proxy', { 'config.conf': CONFIG });

/** The text that each problem points at. */
function pointedAt(text: string): string[] {
  const lines = text.split('\n');
  return readObjects('x', text).problems.map(({ at }) => (lines[at.line - 1] ?? '').slice(at.column - 1, at.column - 1 + at.length));
}

const forms: readonly (readonly [string, (object: object) => string])[] = [
  ['JSON', (o) => JSON.stringify(o, null, 2)],
  ['YAML with literal blocks', (o) => stringify(o, { blockQuote: 'literal', lineWidth: 0 })],
  ['YAML with folded blocks', (o) => stringify(o, { blockQuote: 'folded', lineWidth: 40 })],
  ['YAML in double quotes', (o) => stringify(o, { defaultStringType: 'QUOTE_DOUBLE', lineWidth: 0 })],
  ['YAML in single quotes', (o) => stringify(o, { defaultStringType: 'QUOTE_SINGLE', lineWidth: 0 })],
];

describe('a ConfigMap', () => {
  it.each(forms)('in %s has each problem of its conflist and its network at the value', (_, written) => {
    const quote = (text: string): RegExp => new RegExp(`^\\\\?"${text}\\\\?"$`);
    expect(pointedAt(written(FLANNEL))).toEqual(['false', 'false', expect.stringMatching(quote('10.244.0.0/33')), 'true', expect.stringMatching(quote('wireguard'))]);
  });

  it.each(forms)('in %s has each problem of kube-proxy’s settings at the value', (_, written) => {
    expect(pointedAt(written(PROXY))).toEqual(['15', expect.stringMatching(/10\.300\.0\.0\/16\\?"$/), 'nonsense']);
  });

  it('of which the inner text is broken has that where it breaks', () => {
    const text = JSON.stringify(map('kube-flannel-cfg', { 'net-conf.json': '{\n "Network": nothing }' }), null, 2);
    expect(pointedAt(text)).toEqual(['n']);
    expect(readObjects('x', text).problems[0]?.message).toMatch(/^net-conf\.json: this is no JSON/);
  });
});

describe('the place of a character inside a value', () => {
  const content = fc.string({ unit: fc.constantFrom('a', 'é', '"', '\\', '\'', '\n', ' ', '\t', '{', ':', '#', '-', '🜁', '0', '|'), maxLength: 40 });

  it('is that character in the file, however it is written', () => {
    fc.assert(fc.property(content, fc.nat(forms.length - 1), (value, form) => {
      const text = forms[form]?.[1]({ key: value }) ?? '';
      const [tree] = (form === 0 ? readJson(text) : readYaml(text)).documents;
      const scalar = tree?.kind === 'map' ? tree.entries[0]?.value : undefined;
      if (scalar?.kind !== 'scalar') throw new Error('no value');
      const place = sourceWithin({ text, problems: [], place: ({ start, end }) => ({ file: 'x', line: start, column: end, length: 1 }) }, scalar).place;
      for (const [i, character] of value.split('').entries()) {
        if (/\s/.test(character)) continue;
        const { line: start, column: end } = place({ start: i, end: i + 1 });
        expect([character, `\\${character}`, ...(character === "'" ? ["''"] : [])]).toContain(text.slice(start, end));
      }
    }), { numRuns: 500 });
  });
});
