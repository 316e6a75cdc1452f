/** Where the boxes of a scene stand: hosts side by side above their networks, or one below the other. */
import type { Arrangement, PlacedHost, PlacedNetwork, Placement, Scene, SceneHost } from './model.ts';
import { GAP, hostWidth, placeHost } from './host.ts';

const NARROWEST_SLOT = 200;
const WIDEST_SLOT = 300;
const BETWEEN = 16;
/** Left free on both sides of a stack: ways that pass a host run there. */
export const MARGIN = 22;
const EDGE = 2;
const BAR = 40;
const STACK_WIDEST = 460;
const STACK_NARROWEST = 236;

const NOTHING: ReadonlySet<string> = new Set();

/** `available` is the width of the page's column, in pixels. The same scene and width give the same boxes. */
export function place(scene: Scene, available: number): Placement {
  const slot = widestSlot(scene, available);
  return slot === null ? placeStack(scene, available) : placeColumns(scene, slot);
}

const columnsWidth = (scene: Scene, slot: number): number =>
  scene.hosts.reduce((sum, host) => sum + hostWidth(host, slot), BETWEEN * Math.max(0, scene.hosts.length - 1) + 2 * EDGE);

/** `null`: not even narrow columns fit. */
function widestSlot(scene: Scene, available: number): number | null {
  for (let slot = WIDEST_SLOT; slot >= NARROWEST_SLOT; slot -= 10) if (columnsWidth(scene, slot) <= available) return slot;
  return null;
}

function placeColumns(scene: Scene, slot: number): Placement {
  let x = EDGE;
  const drafts = scene.hosts.map((host) => {
    const width = hostWidth(host, slot);
    const shape = { x, width, mirrored: false, farLinks: NOTHING };
    x += width + BETWEEN;
    return { host, shape, height: placeHost(host, { ...shape, y: 0 }).height };
  });
  const tallest = Math.max(0, ...drafts.map((draft) => draft.height));
  // Their wires are level, so that the networks below are straight bars.
  const hosts = drafts.map(({ host, shape, height }) => placeHost(host, { ...shape, y: EDGE + tallest - height }));
  const networks = placeBars(scene, hosts, EDGE + tallest + GAP - 8);
  const bottom = Math.max(EDGE + tallest, ...networks.map((network) => network.y + network.height));
  return finish('columns', Math.max(0, x - BETWEEN) + EDGE, bottom + EDGE, hosts, networks);
}

/** A bar spans what is plugged into it; bars that would meet stand one below the other. */
function placeBars(scene: Scene, hosts: readonly PlacedHost[], top: number): readonly PlacedNetwork[] {
  const bars: PlacedNetwork[] = [];
  for (const { name, detail } of scene.networks) {
    const links = hosts.flatMap((host) => host.namespaces.flatMap((n) => n.interfaces)).filter((i) => i.network === name && i.visited);
    if (links.length === 0) continue;
    const x = Math.min(...links.map((link) => link.x));
    const width = Math.max(...links.map((link) => link.x + link.width)) - x;
    let y = top;
    while (bars.some((bar) => bar.y === y && x < bar.x + bar.width + 8 && bar.x < x + width + 8)) y += BAR + 10;
    bars.push({ name, detail, x, y, width, height: BAR });
  }
  return bars;
}

function placeStack(scene: Scene, available: number): Placement {
  const widest = Math.max(0, ...scene.hosts.map((host) => hostWidth(host, NARROWEST_SLOT)));
  const width = Math.max(STACK_NARROWEST, widest, Math.min(STACK_WIDEST, available - 2 * MARGIN));
  const hosts: PlacedHost[] = [];
  const networks: PlacedNetwork[] = [];
  let y = EDGE;
  for (const [i, host] of scene.hosts.entries()) {
    const reached = new Set(networks.map((network) => network.name));
    const farLinks = i === 0 || host.pods.length > 0 ? NOTHING : linksBeyond(host, reached);
    const placed = placeHost(host, { x: MARGIN, y, width, mirrored: i > 0, farLinks });
    hosts.push(placed);
    y += placed.height + BETWEEN;
    for (const network of scene.networks) {
      if (reached.has(network.name) || !host.root.interfaces.some((link) => link.visited && link.network === network.name)) continue;
      networks.push({ ...network, x: MARGIN, y, width, height: BAR });
      y += BAR + BETWEEN;
    }
  }
  return finish('stack', width + 2 * MARGIN, y - BETWEEN + EDGE, hosts, networks);
}

/** The visited links into networks that come further down the page. */
function linksBeyond(host: SceneHost, reached: ReadonlySet<string>): ReadonlySet<string> {
  const links = host.root.interfaces.filter((i) => i.level === 'link' && i.visited && i.network !== null);
  const beyond = links.filter((link) => !reached.has(link.network ?? ''));
  return new Set(beyond.length === links.length ? [] : beyond.map((link) => link.id));
}

const finish = (arrangement: Arrangement, width: number, height: number, hosts: readonly PlacedHost[], networks: readonly PlacedNetwork[]): Placement =>
  ({ arrangement, width, height: Math.max(0, height), hosts, networks });
