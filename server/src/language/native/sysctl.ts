/** `sysctl -a` and sysctl.conf(5): `key = value`; the key may be a path below /proc/sys. */
import type { Sysctl } from '../../../../engine/src/topology/model.ts';
import { captured } from '../../../../engine/src/topology/origin.ts';
import type { DumpLine, DumpProblem, LineProblem } from './dump.ts';
import { onLine, reporter } from './dump.ts';

export interface SysctlLine {
  readonly sysctl: Omit<Sysctl, 'origin'> | null;
  readonly problems: readonly LineProblem[];
}

/** Lists and secrets that are empty on most nodes. */
const EMPTY = /(reserved_ports|stable_secret|fastopen_key|available_ulp|default_mask|cpu_bitmap|flush)$/;

/** `net.ipv4.conf.flannel.1.forwarding`: keys themselves hold no dot. */
const DEVICE_WITH_DOTS = /^(net\.ipv[46]\.(?:conf|neigh)\.)([^./]+(?:\.[^./]+)+)(\.[^./]+)$/;

export function readSysctlLine(text: string): SysctlLine {
  const { problems, report } = reporter();
  // `sysctl: permission denied on key …` is what the tool says of itself; older ones say `error: …`.
  if (/^\s*([#;]|$)|^(sysctl|error): |^\* Applying /.test(text)) return { sysctl: null, problems };
  // `grep . /proc/sys/…` prints a path, a colon and the value.
  const m = /^(\s*-?(?:\/proc\/sys\/)?)(\S+?)\s*=\s*(.*?)\s*$/.exec(text) ?? /^(\/proc\/sys\/)([^\s:]+(?::[^\s:]+)*):(.*?)\s*$/.exec(text);
  const whole = { offset: 0, length: text.length };
  if (m === null) {
    report(whole, 'not-a-dump-line', 'This is no `key = value` line: write for example `net.ipv4.ip_forward = 1`.');
    return { sysctl: null, problems };
  }
  const [, lead = '', name = '', value = ''] = m;
  const span = { offset: lead.length, length: name.length };
  if (name.includes('*')) {
    report(span, 'not-modelled', 'k8snet does not know which keys this pattern is for and reads over it: write a line for each.', { severity: 'warning' });
    return { sysctl: null, problems };
  }
  if (!/^[a-z][\w/.:@+-]*[./][\w/.:@+-]*$/i.test(name)) {
    report(span, 'bad-value', `\`${name}\` is no name of a sysctl: it is dotted, such as net.ipv4.ip_forward.`);
    return { sysctl: null, problems };
  }
  // Some sysctls hold nothing, few of them the network's.
  if (value === '' && (!/^net[./]/.test(name) || EMPTY.test(name))) return { sysctl: null, problems };
  if (value === '') {
    report(span, 'missing-value', `The value of \`${name}\` is missing.`);
    return { sysctl: null, problems };
  }
  const parts = DEVICE_WITH_DOTS.exec(name);
  if (parts !== null) {
    const [, head = '', device = '', key = ''] = parts;
    const right = `${head}${device.replaceAll('.', '/')}${key}`;
    report(span, 'bad-value', `sysctl(8) writes a dot inside a device's name as a slash: \`${right}\`. It knows no \`${name}\`.`, { suggestion: right });
    return { sysctl: null, problems };
  }
  return { sysctl: { name: dotted(name), value }, problems };
}

/** With dots between the parts; where a slash comes first, slashes separate and a dot is part of a name (sysctl(8)). */
function dotted(name: string): string {
  const slash = name.indexOf('/');
  const dot = name.indexOf('.');
  if (slash < 0 || (dot >= 0 && dot < slash)) return name;
  return name.replace(/[./]/g, (c) => (c === '/' ? '.' : '/'));
}

export function readSysctls(lines: readonly DumpLine[]): { readonly sysctls: readonly Sysctl[]; readonly problems: readonly DumpProblem[] } {
  const readings = lines.map((line) => ({ ...readSysctlLine(line.text), at: line.at }));
  return {
    sysctls: readings.flatMap(({ sysctl, at }) => (sysctl === null ? [] : [{ ...sysctl, origin: captured(at) }])),
    problems: readings.flatMap(({ problems }, index) => onLine(problems, index)),
  };
}
