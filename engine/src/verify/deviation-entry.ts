/** Captured routes, neighbours, FDB entries, policy rules and sysctls beside those that would be programmed. */
import { groupBy } from '../group-by.ts';
import { formatAddress, formatPrefix } from '../net/address.ts';
import { MAIN_TABLE } from '../topology/model.ts';
import type { FdbEntry, Neighbour, Route, Sysctl } from '../topology/model.ts';
import type { Origin } from '../topology/origin.ts';
import type { CapturedState } from '../topology/spec.ts';
import { placeOf, sameRef } from './candidate.ts';
import type { Compared, Deviation, DeviationKind, Entry } from './deviation.ts';

type Block = 'routes' | 'neighbours' | 'fdb' | 'rules' | 'sysctl';

const NOUNS: Readonly<Record<Block, string>> = { routes: 'route', neighbours: 'neighbour', fdb: 'FDB entry', rules: 'policy rule', sysctl: 'sysctl' };

export function entryDeviations(compared: Compared): readonly Deviation[] {
  return [...routeDeviations(compared), ...neighbourDeviations(compared), ...fdbDeviations(compared), ...policyDeviations(compared), ...sysctlDeviations(compared)];
}

type Change = (captured: CapturedState, gone: readonly Entry[], added: readonly Entry[]) => CapturedState;

const has = (entries: readonly Entry[], origin: Origin): boolean => {
  const place = placeOf(origin);
  return place !== null && entries.some((e) => {
    const other = placeOf(e.origin);
    return other !== null && sameRef(other, place);
  });
};

/** As the block's text would give it after the edit: the new entry where the first old one stood, else at the end. */
function replaced<T extends Entry>(entries: readonly T[], gone: readonly Entry[], added: readonly T[]): readonly T[] {
  const first = gone.length === 0 ? -1 : entries.findIndex((e) => has(gone, e.origin));
  const kept = entries.map((e, i) => (has(gone, e.origin) ? (i === first ? added : []) : [e])).flat();
  return first < 0 ? [...kept, ...added] : kept;
}

interface Found {
  readonly block: Block;
  readonly kind: DeviationKind;
  readonly there: readonly Entry[];
  readonly wanted: readonly Entry[];
  readonly change: Change;
}

function deviation(compared: Compared, { block, kind, there, wanted, change }: Found): Deviation {
  const [first] = wanted;
  const origin = first?.origin;
  const derived = origin?.kind === 'derived' ? origin : null;
  const remove = there.flatMap((e) => placeOf(e.origin) ?? []);
  return {
    owner: compared.owner, host: compared.host, namespace: compared.programmed.namespace.name, block, table: null, kind, there, wanted,
    by: derived?.by ?? null,
    because: derived?.because ?? null,
    what: derived === null ? `the ${NOUNS[block]} \`${there[0]?.text.trim() ?? ''}\`` : `${derived.by}'s ${NOUNS[block]} for ${derived.because}`,
    at: remove[0] ?? blockPlace(compared, block),
    edits: [{ kind: 'lines', owner: compared.owner, block, table: null, remove, add: wanted.map((e) => e.text), before: null }],
    applied: (c) => change(c, there, wanted),
  };
}

/** Where the block's first entry stands; an empty block has none. */
function blockPlace({ captured }: Compared, block: Block): ReturnType<typeof placeOf> {
  const entries = { routes: captured.routes, neighbours: captured.neighbours, fdb: captured.fdb, rules: captured.rules, sysctl: captured.sysctls }[block];
  const [first] = entries ?? [];
  return first === undefined ? null : placeOf(first.origin);
}

const withRoutes: Change = (c, gone, added) => ({ ...c, routes: replaced(c.routes ?? [], gone, added as readonly Route[]) });
const withNeighbours: Change = (c, gone, added) => ({ ...c, neighbours: replaced(c.neighbours ?? [], gone, added as readonly Neighbour[]) });
const withFdb: Change = (c, gone, added) => ({ ...c, fdb: replaced(c.fdb ?? [], gone, added as readonly FdbEntry[]) });
const withPolicy: Change = (c, gone) => ({ ...c, rules: replaced(c.rules ?? [], gone, []) });

function routeDeviations(compared: Compared): readonly Deviation[] {
  const { routes } = compared.captured;
  if (routes === undefined) return [];
  const families = new Set(routes.length === 0 ? [4] : routes.map((r) => r.destination.address.family));
  const inMain = (r: Route): boolean => r.table === MAIN_TABLE && families.has(r.destination.address.family);
  const wanted = compared.programmed.namespace.routes.filter((r) => inMain(r) && !isHousekeeping(r));
  const there = routes.filter(inMain);
  const key = (r: Route): string => formatPrefix(r.destination);
  const wantedBy = new Map(wanted.map((r) => [key(r), r]));
  const thereBy = groupBy(there, key);
  const found = (kind: DeviationKind, old: readonly Route[], fresh: readonly Route[]): Deviation =>
    deviation(compared, { block: 'routes', kind, there: old, wanted: fresh, change: withRoutes });
  return [
    ...wanted.flatMap((route): readonly Deviation[] => {
      const same = thereBy.get(key(route)) ?? [];
      if (same.length === 0) return [found('missing', [], [route])];
      return same.some((r) => leadsAlike(r, route)) ? [] : [found('stale', same, [route])];
    }),
    ...there.filter((r) => !wantedBy.has(key(r)) && !isHousekeeping(r) && r.protocol !== 'kernel').map((r) => found(leadsToFlannel(r) ? 'left-over' : 'foreign', [r], [])),
  ];
}

/** What the kernel adds by itself for IPv6 devices. */
const isHousekeeping = (r: Route): boolean => r.destination.address.family === 6 && (formatPrefix(r.destination).startsWith('fe80:') || formatPrefix(r.destination).startsWith('ff00:'));

const leadsToFlannel = (r: Route): boolean => r.nexthops.some((h) => h.device !== null && /^flannel/.test(h.device));

/** Protocol, scope, metric and source differ between the kernel's ways of saying the same. */
function leadsAlike(a: Route, b: Route): boolean {
  const hops = (r: Route): string => r.nexthops.map((h) => `${h.via === null ? '' : formatAddress(h.via)} ${h.device ?? ''}`).join(',');
  return a.type === b.type && hops(a) === hops(b);
}

/** flannel's permanent entries only: what the kernel learned by itself comes and goes. */
function neighbourDeviations(compared: Compared): readonly Deviation[] {
  const { neighbours } = compared.captured;
  if (neighbours === undefined) return [];
  const wanted = compared.programmed.namespace.neighbours;
  const tunnels = tunnelsOf(compared);
  // A node has one for every other.
  const keyOf = ({ device, address }: Neighbour): string => `${device} ${formatAddress(address)}`;
  const known = groupBy(neighbours, keyOf);
  const expected = new Set(wanted.map(keyOf));
  const found = (kind: DeviationKind, old: readonly Neighbour[], fresh: readonly Neighbour[]): Deviation =>
    deviation(compared, { block: 'neighbours', kind, there: old, wanted: fresh, change: withNeighbours });
  return [
    ...wanted.flatMap((n): readonly Deviation[] => {
      const there = known.get(keyOf(n)) ?? [];
      if (there.length === 0) return [found('missing', [], [n])];
      return there.some((other) => other.mac === n.mac) ? [] : [found('stale', there, [n])];
    }),
    ...neighbours.filter((n) => n.state === 'permanent' && tunnels.has(n.device) && !expected.has(keyOf(n))).map((n) => found('left-over', [n], [])),
  ];
}

function fdbDeviations(compared: Compared): readonly Deviation[] {
  const { fdb } = compared.captured;
  if (fdb === undefined) return [];
  const wanted = compared.programmed.namespace.fdb;
  const tunnels = tunnelsOf(compared);
  const there = fdb.filter((e) => e.destination !== null && tunnels.has(e.device));
  const leadsTo = (e: FdbEntry): string => `${e.device} ${e.destination === null ? '' : formatAddress(e.destination)}`;
  const isWanted = (e: FdbEntry): boolean => wanted.some((w) => w.device === e.device && w.mac === e.mac && leadsTo(w) === leadsTo(e));
  const surplus = there.filter((e) => !isWanted(e));
  const lacking = wanted.filter((w) => !there.some((e) => e.mac === w.mac && leadsTo(e) === leadsTo(w)));
  const staleFor = (w: FdbEntry): readonly FdbEntry[] => surplus.filter((e) => e.device === w.device && (e.mac === w.mac || leadsTo(e) === leadsTo(w)));
  const found = (kind: DeviationKind, old: readonly FdbEntry[], fresh: readonly FdbEntry[]): Deviation =>
    deviation(compared, { block: 'fdb', kind, there: old, wanted: fresh, change: withFdb });
  const stale = new Set(lacking.flatMap(staleFor));
  return [
    ...lacking.map((w) => (staleFor(w).length === 0 ? found('missing', [], [w]) : found('stale', staleFor(w), [w]))),
    ...surplus.filter((e) => !stale.has(e)).map((e) => found('left-over', [e], [])),
  ];
}

/** Devices whose entries flannel programs itself; the older generation's are what flanneld answered to misses. */
const tunnelsOf = ({ programmed }: Compared): ReadonlySet<string> =>
  new Set(programmed.namespace.interfaces.flatMap((i) => (i.device.kind === 'vxlan' && i.device.misses === null && /^flannel/.test(i.name) ? [i.name] : [])));

function policyDeviations(compared: Compared): readonly Deviation[] {
  const usual = new Set(compared.programmed.namespace.rules.map((r) => plainPolicy(r.text)));
  return (compared.captured.rules ?? []).filter((r) => !usual.has(plainPolicy(r.text)))
    .map((r) => deviation(compared, { block: 'rules', kind: 'foreign', there: [r], wanted: [], change: withPolicy }));
}

const plainPolicy = (text: string): string => text.replace(/\s+/g, ' ').trim();

/** Only switches of which there is a usual value on a node. */
function sysctlDeviations(compared: Compared): readonly Deviation[] {
  const entry = (s: Sysctl, value: string): Entry & Sysctl => ({ ...s, value, text: `${s.name} = ${value}` });
  return (compared.captured.sysctls ?? []).flatMap((said): readonly Deviation[] => {
    const usual = compared.programmed.namespace.sysctls.find((s) => s.name === said.name);
    if (usual === undefined || usual.value === said.value) return [];
    const fresh = { ...entry(usual, usual.value), origin: usual.origin };
    const change: Change = (c) => ({ ...c, sysctls: [...(c.sysctls ?? []).filter((s) => s.name !== said.name), { ...said, value: usual.value }] });
    return [deviation(compared, { block: 'sysctl', kind: 'stale', there: [entry(said, said.value)], wanted: [fresh], change })];
  });
}
