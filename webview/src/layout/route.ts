/**
 * How the packet's way runs through the boxes. It keeps to the right of its direction, as traffic does: down on the
 * west lane, up on the east one, eastward below, westward above. So a request and its reply do not cross.
 */
import type { JourneyName } from '../../../engine/src/trace/journeys.ts';
import type { Badge, Box, Label, Line, Mark, PlacedHost, PlacedInterface, PlacedNetwork, Placement, Point, Stop, Way } from './model.ts';
import { LANE, LINE, TITLE } from './host.ts';
import { MARGIN } from './place.ts';
import type { Outcome } from '../../../engine/src/trace/model.ts';

export interface RoutedJourney {
  readonly name: JourneyName;
  readonly stops: readonly Stop[];
  readonly outcome: Outcome;
  /** The reason's sentence, empty where there is none. */
  readonly sentence: string;
  /** The namespace that sends: where the end is marked if no packet ever left it. */
  readonly from: { readonly host: string; readonly namespace: string } | null;
}

/** A stop with its place on the page. */
interface Node extends Point {
  readonly stop: Stop;
  readonly device: PlacedInterface;
  readonly host: PlacedHost;
  readonly travel: 'up' | 'down';
  /** Which of the journeys that pass here this way, and how many they are. */
  readonly lane: number;
  readonly lanes: readonly unknown[];
}

const STUB = 17;
const BADGE_STEP = 26;
const TRACK = 7;
/** From the middle of a network's bar; a second leg that would lie on the first takes the outer one. */
const TRACKS = [10, 16];
const NARROW = 90;
const CHARACTER = 6.4;

export function route(placement: Placement, journeys: readonly RoutedJourney[]): Way {
  const nodesOf = locator(placement);
  const trackOf = tracks();
  const placed = journeys.map((journey) => ({ journey, nodes: nodesOf(journey.stops) }));
  return {
    lines: placed.flatMap(({ journey, nodes }) => linesOf(placement, trackOf, journey, nodes)),
    badges: placed.flatMap(({ journey, nodes }) => badgesOf(journey.name, nodes)),
    labels: placed.flatMap(({ journey, nodes }) => labelsOf(journey, nodes)),
    marks: placed.flatMap(({ journey, nodes }) => (nodes.length === 0 ? stillborn(placement, journey) : marksOf(journey, nodes))),
  };
}

/** Journeys that pass an interface the same way get lanes beside each other. */
function locator(placement: Placement): (stops: readonly Stop[]) => readonly Node[] {
  const places = new Map(placement.hosts.flatMap((host) =>
    host.namespaces.flatMap((n) => n.interfaces.map((device) => [device.id, { host, device }] as const))));
  const lanes = new Map<string, JourneyName[]>();
  return (stops) => stops.flatMap((stop) => {
    const found = places.get(stop.interface);
    if (found === undefined) return [];
    const { host, device } = found;
    const travel = (stop.direction === 'in') === (device.inward === 'down') ? 'down' : 'up';
    const key = `${device.id} ${travel}`;
    const users = lanes.get(key) ?? [];
    lanes.set(key, users);
    if (!users.includes(stop.journey)) users.push(stop.journey);
    const lane = users.indexOf(stop.journey);
    const offset = LANE + BADGE_STEP * lane;
    const x = travel === 'down' ? device.x + offset : device.x + device.width - offset;
    return [{ stop, host, device, travel, lane, lanes: users, x, y: device.y + device.height / 2 }];
  });
}

const sign = (travel: 'up' | 'down'): 1 | -1 => (travel === 'down' ? 1 : -1);

const edge = (box: Box, travel: 'up' | 'down'): number => (travel === 'down' ? box.y + box.height : box.y);

function linesOf(placement: Placement, trackOf: TrackOf, journey: RoutedJourney, nodes: readonly Node[]): readonly Line[] {
  const ways: (readonly Point[])[] = [];
  const [first] = nodes;
  const last = nodes.at(-1);
  if (first !== undefined) ways.push([startPoint(first), first]);
  for (let i = 1; i < nodes.length; i++) {
    const a = nodes[i - 1];
    const b = nodes[i];
    if (a !== undefined && b !== undefined) ways.push(connect(placement, trackOf, a, b));
  }
  if (last !== undefined) ways.push([last, endPoint(last)]);
  const seen = new Set<string>();
  return ways.flatMap((points) => {
    const plain = straighten(points);
    const key = plain.map((p) => `${p.x},${p.y}`).join(' ');
    if (seen.has(key) || plain.length < 2) return [];
    seen.add(key);
    return [{ journey: journey.name, points: plain }];
  });
}

function connect(placement: Placement, trackOf: TrackOf, a: Node, b: Node): readonly Point[] {
  if (a.host === b.host) return inHost(a, b);
  const network = placement.networks.find((n) => n.name === a.device.network && n.name === b.device.network);
  return network === undefined ? elbow(a, b, (a.y + b.y) / 2) : overNetwork(placement, trackOf, network, a, b);
}

const elbow = (a: Point, b: Point, y: number): readonly Point[] => [a, { x: a.x, y }, { x: b.x, y }, b];

function inHost(a: Node, b: Node): readonly Point[] {
  if (a.travel !== b.travel) return elbow(a, b, turn(a, b));
  if (a.x === b.x) return [a, b];
  // The step aside is made beside the row that is nearer to the pods: below it the lanes are the host's own.
  const towardsPods = a.device.level === 'pod' || (a.device.level === 'port' && b.device.level !== 'pod');
  const row = towardsPods ? a : b;
  const below = row.y < (towardsPods ? b : a).y;
  return elbow(a, b, below ? row.device.y + row.device.height + 20 : row.device.y - 20);
}

/** Where the way turns round beyond `a`: inside the bridge that joins two ports, else in the gap. */
function turn(a: Node, b: Node): number {
  const reach = sign(a.travel);
  if (a.device.level === 'port' && b.device.level === 'port') {
    const rows = a.host.namespaces.flatMap((n) => n.interfaces).filter((i) => i.level === 'bridge' && (i.y - a.device.y) * reach > 0);
    const bridge = rows[0];
    if (bridge !== undefined) return bridge.y + bridge.height / 2 + (a.lane + b.lane > 0 || b.x < a.x ? -TRACK : TRACK);
  }
  // Beyond both; of two turns in one gap the wider goes further out.
  const outmost = reach > 0 ? Math.max(edge(a.device, 'down'), edge(b.device, 'down')) : Math.min(a.device.y, b.device.y);
  const apart = a.device.level !== b.device.level && a.stop.journey === 'reply' ? -8 : 0;
  return outmost + reach * (apart + (Math.abs(b.x - a.x) > NARROW ? STUB + 8 : STUB - 2));
}

function overNetwork(placement: Placement, trackOf: TrackOf, network: PlacedNetwork, a: Node, b: Node): readonly Point[] {
  const left = detour(placement, network, a, 'leaving');
  const entered = detour(placement, network, b, 'arriving').toReversed();
  const from = left.at(-1) ?? a;
  const to = entered[0] ?? b;
  const track = trackOf(network, from.x, to.x);
  return [...left, { x: from.x, y: track }, { x: to.x, y: track }, ...entered];
}

type TrackOf = (network: PlacedNetwork, from: number, to: number) => number;

/** The height at which a leg runs along a network's bar. The same leg, walked again, keeps its track. */
function tracks(): TrackOf {
  const taken: { readonly network: string; readonly from: number; readonly to: number; readonly y: number }[] = [];
  return (network, from, to) => {
    const middle = network.y + network.height / 2;
    if (from === to) return middle;
    const known = taken.find((leg) => leg.network === network.name && leg.from === from && leg.to === to);
    if (known !== undefined) return known.y;
    const meets = (y: number): boolean => taken.some((leg) => leg.network === network.name && leg.y === y
      && Math.min(leg.from, leg.to) <= Math.max(from, to) && Math.min(from, to) <= Math.max(leg.from, leg.to));
    const [first = middle, ...others] = TRACKS.map((track) => middle + (to > from ? track : -track));
    const y = [first, ...others].find((candidate) => !meets(candidate)) ?? first;
    taken.push({ network: network.name, from, to, y });
    return y;
  };
}

/** From a link to its network: straight, or round the hosts that stand between them in a stack. */
function detour(placement: Placement, network: PlacedNetwork, node: Node, going: 'leaving' | 'arriving'): readonly Point[] {
  const towards = node.y < network.y ? 'down' : 'up';
  const inTheWay = placement.hosts.some((host) => host !== node.host && host.y > Math.min(node.y, network.y) && host.y < Math.max(node.y, network.y));
  if (placement.arrangement === 'columns' || !inTheWay) return [node];
  const y = edge(node.host, towards) + sign(towards) * 8;
  const down = (towards === 'down') === (going === 'leaving');
  const aside = node.stop.journey === 'reply' ? MARGIN / 4 : MARGIN / 2;
  const x = down ? aside : placement.width - aside;
  return [node, { x: node.x, y }, { x, y }];
}

/** Without points that change nothing. */
function straighten(points: readonly Point[]): readonly Point[] {
  const kept: Point[] = [];
  for (const { x, y } of points) {
    const last = kept.at(-1);
    const before = kept.at(-2);
    if (last !== undefined && last.x === x && last.y === y) continue;
    if (last !== undefined && before !== undefined && ((before.x === last.x && last.x === x) || (before.y === last.y && last.y === y))) {
      const onwards = (last.x - before.x) * (x - last.x) >= 0 && (last.y - before.y) * (y - last.y) >= 0;
      if (onwards) kept.pop();
    }
    kept.push({ x, y });
  }
  return kept;
}

/** In a pod the middle of its title's row; elsewhere in the gap. */
const stubLength = (node: Node): number => node.device.height / 2 + (node.device.level === 'pod' ? TITLE / 2 : STUB);

const startPoint = (node: Node): Point => ({ x: node.x, y: node.y - sign(node.travel) * stubLength(node) });

const endPoint = (node: Node): Point => ({ x: node.x, y: node.y + sign(node.travel) * stubLength(node) });

function badgesOf(journey: JourneyName, nodes: readonly Node[]): readonly Badge[] {
  const badges = new Map<string, Badge>();
  for (const { stop, x, y } of nodes) {
    const key = `${x},${y}`;
    badges.set(key, { x, y, journey, hops: [...(badges.get(key)?.hops ?? []), stop.number] });
  }
  return [...badges.values()];
}

function labelsOf(journey: RoutedJourney, nodes: readonly Node[]): readonly Label[] {
  const labels = new Map<string, Label>();
  for (const node of nodes) {
    const { stop, device, travel, lane, lanes, x, y } = node;
    const key = `${x},${y}`;
    if (stop.note === '' || labels.has(key)) continue;
    const beside = 12 + BADGE_STEP * (lanes.length - 1 - lane);
    const room = device.width - 2 * LANE - 16 - BADGE_STEP * (lanes.length - 1);
    labels.set(key, {
      x: travel === 'down' ? x + beside : x - beside, y: baseline(node), journey: journey.name, hop: stop.number,
      anchor: travel === 'down' ? 'start' : 'end', text: shorten(stop.note, Math.floor(room / CHARACTER)),
    });
  }
  return [...labels.values()];
}

/** Beyond the interface on the way, outside a pod's own box; behind a pod its title stands, so there before it. */
function baseline({ device, travel, lane }: Node): number {
  if (device.level !== 'pod') return travel === 'down' ? device.y + device.height + 14 + LINE * lane : device.y - 7 - LINE * lane;
  return device.inward === 'up' ? device.y + device.height + 23 + LINE * lane : device.y - 17 - LINE * lane;
}

/** Cut at the end to `length` characters. */
export const shorten = (text: string, length: number): string => (text.length <= length ? text : `${text.slice(0, Math.max(1, length - 1))}…`);

function marksOf(journey: RoutedJourney, nodes: readonly Node[]): readonly Mark[] {
  const first = nodes[0];
  const last = nodes.at(-1);
  if (first === undefined || last === undefined) return [];
  return [
    { ...startPoint(first), journey: journey.name, kind: 'start', sentence: '', hop: first.stop.number },
    { ...endPoint(last), journey: journey.name, kind: journey.outcome, sentence: journey.sentence, hop: last.stop.number },
  ];
}

/** The sender's own namespace refused the packet: the mark stands beside its title. */
function stillborn(placement: Placement, { name, outcome, sentence, from }: RoutedJourney): readonly Mark[] {
  const namespace = placement.hosts.flatMap((host) => host.namespaces).find((n) => n.host === from?.host && n.name === from.namespace);
  return namespace === undefined ? [] : [{ x: namespace.x + LANE, y: namespace.y + TITLE / 2, journey: name, kind: outcome, sentence, hop: 0 }];
}
