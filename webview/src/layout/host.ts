/**
 * One host as nested boxes: rows from the pods to the wire, or mirrored where the packet comes in from above. Lanes at
 * both edges of a row stay free for the packet's way, so what it does not visit is drawn narrower.
 */
import type { Level, PlacedHost, PlacedInterface, PlacedNamespace, SceneHost, SceneInterface, SceneNamespace } from './model.ts';

export const ROW = 28;
/** Between two rows: room for one note of the way down and one of the way up. */
export const GAP = 34;
export const PAD = 10;
export const TITLE = 24;
/** Above the first row of a root namespace: its title, and a note or a turn of the way. */
const HEAD = 36;
const TAIL = 24;
const BESIDE = 12;
/** From one note to the next below it. */
export const LINE = 13;
/** How far from the edge of a row the way runs. */
export const LANE = 16;
const INSET = 2 * LANE + 4;
/** Where the way turns: two more lanes beside the tunnels, and room for their notes. */
const TURN_INSET = 2 * LANE + 28;
const TURN_GAP = 18;

export interface HostShape {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  /** Pods below and the wire above. */
  readonly mirrored: boolean;
  /** Links that leave at the pods' end of a mirrored host (a router's far side). */
  readonly farLinks: ReadonlySet<string>;
}

interface Span {
  readonly x: number;
  readonly width: number;
}

/** How many interfaces stand side by side under the pods: one slot a pod, and one a port whose pod is not shown. */
const orphans = (host: SceneHost): readonly SceneInterface[] => {
  const shown = new Set(host.pods.map((pod) => pod.name));
  return host.root.interfaces.filter((i) => i.level === 'port' && (i.peerNamespace === null || !shown.has(i.peerNamespace)));
};

/** Of the whole box, for pods (or lone ports) that are `slot` wide. */
export function hostWidth(host: SceneHost, slot: number): number {
  const slots = host.pods.length + orphans(host).length;
  const widest = (['bridge', 'tunnel', 'link'] as const).map((level) => host.root.interfaces.filter((i) => i.level === level).length);
  const links = Math.max(1, ...widest);
  const wanted = Math.max(slots === 0 ? 0 : slots * slot + (slots - 1) * BESIDE, links === 1 ? Math.round(slot * 0.8) + 2 * LANE : links * Math.round(slot * 0.58));
  const title = Math.ceil(host.name.length * 7.5) + 60;
  return Math.max(wanted + (host.turns ? 2 * TURN_INSET - 40 : 0), title) + 2 * PAD;
}

/** `count` equal spans beside each other. */
function split(span: Span, count: number): readonly Span[] {
  const width = (span.width - BESIDE * (count - 1)) / count;
  return Array.from({ length: count }, (_, i) => ({ x: span.x + i * (width + BESIDE), width }));
}

const inner = (span: Span): Span => ({ x: span.x + PAD, width: span.width - 2 * PAD });

function inwardOf(level: Level, mirrored: boolean): 'up' | 'down' {
  // A packet from a pod comes in at a port or bridge and goes down to the wire; one from the wire goes up.
  const up = level === 'pod' || level === 'tunnel' || level === 'link';
  return up === mirrored ? 'down' : 'up';
}

function placeRow(row: readonly SceneInterface[], spans: readonly Span[], y: number, mirrored: boolean): readonly PlacedInterface[] {
  return row.map((shown, i) => {
    const span = spans[i] ?? { x: 0, width: 0 };
    return { ...shown, x: span.x, y, width: span.width, height: ROW, inward: inwardOf(shown.level, mirrored) };
  });
}

/** The boxes of one host; its height follows from what is in it. */
export function placeHost(host: SceneHost, shape: HostShape): PlacedHost {
  const span = inner({ x: shape.x, width: shape.width });
  const slots = split(span, Math.max(1, host.pods.length + orphans(host).length));
  const top = shape.y + TITLE;
  const root = placeRoot(host, shape, span, slots);
  if (host.pods.length === 0) {
    const placed = root(top);
    return { ...box(shape, placed.y + placed.height + PAD), name: host.name, kind: host.kind, namespaces: [placed] };
  }
  if (shape.mirrored) {
    const placed = root(top);
    const pods = placePods(host.pods, slots, placed.y + placed.height + GAP - PAD, true);
    const end = Math.max(...pods.map((pod) => pod.y + pod.height));
    return { ...box(shape, end + PAD), name: host.name, kind: host.kind, namespaces: [placed, ...pods] };
  }
  const pods = placePods(host.pods, slots, top, false);
  const placed = root(Math.max(...pods.map((pod) => pod.y + pod.height)) + GAP - PAD);
  return { ...box(shape, placed.y + placed.height + PAD), name: host.name, kind: host.kind, namespaces: [placed, ...pods] };
}

const box = (shape: HostShape, end: number): { x: number; y: number; width: number; height: number } =>
  ({ x: shape.x, y: shape.y, width: shape.width, height: end - shape.y });

/** A pod's title stands at the end away from the wire, where the way begins and ends. */
function placePods(pods: readonly SceneNamespace[], slots: readonly Span[], y: number, mirrored: boolean): readonly PlacedNamespace[] {
  return pods.map((pod, i) => {
    const slot = slots[i] ?? { x: 0, width: 0 };
    const spans = split(inner(slot), Math.max(1, pod.interfaces.length));
    const row = placeRow(pod.interfaces, spans, y + (mirrored ? PAD : TITLE), mirrored);
    return { host: pod.host, name: pod.name, x: slot.x, y, width: slot.width, height: TITLE + ROW + PAD, interfaces: row };
  });
}

function placeRoot(host: SceneHost, shape: HostShape, span: Span, slots: readonly Span[]): (y: number) => PlacedNamespace {
  const of = (level: Level, far: 'near' | 'far' = 'near'): readonly SceneInterface[] =>
    host.root.interfaces.filter((i) => i.level === level && shape.farLinks.has(i.id) === (far === 'far'));
  const across = (row: readonly SceneInterface[]): readonly Span[] => {
    const { x, width } = inner(span);
    const idle = !row.some((i) => i.visited);
    const inset = host.turns && row[0]?.level === 'tunnel' ? TURN_INSET : idle && width >= 3 * INSET ? INSET : 0;
    return split({ x: x + inset, width: width - 2 * inset }, Math.max(1, row.length));
  };
  const lone = orphans(host);
  const underPods = (row: readonly SceneInterface[]): readonly Span[] => row.map((port) => {
    const pod = host.pods.findIndex((p) => p.name === port.peerNamespace);
    return inner(slots[pod >= 0 ? pod : host.pods.length + lone.indexOf(port)] ?? span);
  });
  const rows = [
    { row: of('port'), spans: underPods }, { row: of('bridge'), spans: across },
    { row: of('tunnel'), spans: across }, { row: of('link'), spans: across },
  ];
  if (shape.mirrored) rows.reverse();
  rows.push({ row: of('link', 'far'), spans: across });
  const filled = rows.filter(({ row }) => row.length > 0);
  const gap = GAP + (host.turns ? TURN_GAP : 0) + LINE * (host.lanes - 1);
  const head = HEAD + (host.turns ? TURN_GAP : 0);
  return (y) => {
    const interfaces = filled.flatMap(({ row, spans }, i) => placeRow(row, spans(row), y + head + i * (ROW + gap), shape.mirrored)
      .map((placed) => (shape.farLinks.has(placed.id) ? { ...placed, inward: 'up' as const } : placed)));
    const tail = shape.mirrored ? TAIL + (host.turns ? TURN_GAP : 0) : PAD;
    const height = head + Math.max(0, filled.length * (ROW + gap) - gap) + tail;
    return { host: host.name, name: host.root.name, x: span.x, y, width: span.width, height, interfaces };
  };
}
