/** Captured devices beside the same devices as flannel and the bridge plugin make them. */
import type { Interface } from '../topology/model.ts';
import type { CapturedInterface, CapturedState } from '../topology/spec.ts';
import { placeOf } from './candidate.ts';
import type { Compared, Deviation } from './deviation.ts';

/** One setting of a device: how `ip -d link` prints what is there and what was expected. */
interface Difference {
  readonly what: string;
  readonly from: string;
  readonly to: string;
  readonly mended: CapturedInterface;
}

export function deviceDeviations(compared: Compared): readonly Deviation[] {
  return (compared.captured.interfaces ?? []).flatMap((captured) => {
    const usual = compared.programmed.devices.find((d) => d.name === captured.name);
    return usual === undefined ? [] : differences(captured, usual).map((d) => deviation(compared, captured, usual, d));
  });
}

function differences(captured: CapturedInterface, usual: Interface): readonly Difference[] {
  const found: Difference[] = [];
  const made = usual.origin.kind === 'derived' && usual.device.kind !== 'loopback';
  if (captured.mtu !== usual.mtu && made) found.push({ what: `MTU of ${captured.mtu}`, from: `mtu ${captured.mtu}`, to: `mtu ${usual.mtu}`, mended: { ...captured, mtu: usual.mtu } });
  if (!captured.up && usual.up) found.push({ what: 'state DOWN', from: '<', to: '<UP,', mended: { ...captured, up: true } });
  return [...found, ...portDifferences(captured, usual), ...tunnelDifferences(captured, usual)];
}

function portDifferences(captured: CapturedInterface, usual: Interface): readonly Difference[] {
  const { port } = captured;
  if (port === null || usual.port === null) return [];
  const found: Difference[] = [];
  if (!port.hairpin && usual.port.hairpin) found.push({ what: 'hairpin off', from: 'hairpin off', to: 'hairpin on', mended: { ...captured, port: { ...port, hairpin: true } } });
  if (port.isolated && !usual.port.isolated) found.push({ what: 'isolated on', from: 'isolated on', to: 'isolated off', mended: { ...captured, port: { ...port, isolated: false } } });
  return found;
}

function tunnelDifferences(captured: CapturedInterface, usual: Interface): readonly Difference[] {
  const { device } = captured;
  if (device?.kind !== 'vxlan' || usual.device.kind !== 'vxlan') return [];
  const found: Difference[] = [];
  const { vni, port } = usual.device;
  if (device.vni !== vni) found.push({ what: `VNI ${device.vni}`, from: `vxlan id ${device.vni}`, to: `vxlan id ${vni}`, mended: { ...captured, device: { ...device, vni } } });
  if (device.port !== port) found.push({ what: `VXLAN port ${device.port}`, from: `dstport ${device.port}`, to: `dstport ${port}`, mended: { ...captured, device: { ...device, port } } });
  return found;
}

function deviation(compared: Compared, captured: CapturedInterface, usual: Interface, { what, from, to, mended }: Difference): Deviation {
  const at = placeOf(captured.origin);
  const entry = { text: `${captured.name}: ${from}`, origin: captured.origin };
  return {
    owner: compared.owner, host: compared.host, namespace: compared.programmed.namespace.name, block: 'links', table: null, kind: 'stale',
    by: usual.origin.kind === 'derived' ? usual.origin.by : null,
    because: usual.origin.kind === 'derived' ? usual.origin.because : null,
    what: `${captured.name} with ${what}`,
    there: [entry],
    wanted: [{ text: `${captured.name}: ${to}`, origin: usual.origin }],
    at,
    edits: at === null ? [] : [{ kind: 'words', owner: compared.owner, block: 'links', at, from, to }],
    applied: (c) => withInterface(c, captured, mended),
  };
}

/** One setting at a time: another change may have been made to the same device before. */
function withInterface(captured: CapturedState, before: CapturedInterface, after: CapturedInterface): CapturedState {
  const changed = (Object.keys(after) as (keyof CapturedInterface)[]).filter((key) => after[key] !== before[key]);
  const mended = (i: CapturedInterface): CapturedInterface => ({ ...i, ...Object.fromEntries(changed.map((key) => [key, after[key]])) });
  return { ...captured, interfaces: (captured.interfaces ?? []).map((i) => (i.name === before.name ? mended(i) : i)) };
}
