import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Branch, Hop } from '../../../engine/src/trace/model.ts';
import type { Topology } from '../../../engine/src/topology/model.ts';
import type { Flow } from '../../../engine/src/trace/flow.ts';
import { draw as drawScene, type Drawing } from '../../../webview/src/layout/draw.ts';
import type { Box, Placement, Point } from '../../../webview/src/layout/model.ts';
import { place } from '../../../webview/src/layout/place.ts';
import { sceneOf, sceneOfHops } from '../../../webview/src/layout/scene.ts';
import { articleCluster, bridgedBranch, cluster, droppedBranch, flow, hairpinBranch, hop, ip, node, nodePortBranch, outsideBranch, secondDroppedBranch, serviceBranch } from './fixture.ts';

const overlap = (a: Box, b: Box): boolean =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

const within = (inner: Box, outer: Box): boolean =>
  inner.x >= outer.x && inner.y >= outer.y && inner.x + inner.width <= outer.x + outer.width + 1e-6 && inner.y + inner.height <= outer.y + outer.height + 1e-6;

interface Segment {
  readonly a: Point;
  readonly b: Point;
}

/** How many pixels of two right-angled segments lie on each other. */
function along(one: Segment, other: Segment): number {
  const shared = (k: 'x' | 'y'): number => Math.min(Math.max(one.a[k], one.b[k]), Math.max(other.a[k], other.b[k])) - Math.max(Math.min(one.a[k], one.b[k]), Math.min(other.a[k], other.b[k]));
  const flat = (k: 'x' | 'y'): boolean => one.a[k] === one.b[k] && other.a[k] === other.b[k] && Math.abs(one.a[k] - other.a[k]) < 2;
  return flat('x') ? shared('y') : flat('y') ? shared('x') : 0;
}

/** Every pair of boxes that must not meet, and every box that must lie in another. */
function faultsOf(placement: Placement): readonly string[] {
  const faults: string[] = [];
  const apart = (boxes: readonly (Box & { readonly name: string })[]): void => {
    boxes.forEach((a, i) => boxes.slice(i + 1).forEach((b) => { if (overlap(a, b)) faults.push(`${a.name} meets ${b.name}`); }));
  };
  const inside = (inner: Box & { readonly name: string }, outer: Box): void => { if (!within(inner, outer)) faults.push(`${inner.name} sticks out`); };
  const page: Box = { x: 0, y: 0, width: placement.width, height: placement.height };
  apart([...placement.hosts, ...placement.networks]);
  for (const box of [...placement.hosts, ...placement.networks]) inside(box, page);
  for (const host of placement.hosts) {
    apart(host.namespaces);
    for (const namespace of host.namespaces) {
      inside(namespace, host);
      apart(namespace.interfaces);
      for (const device of namespace.interfaces) inside(device, namespace);
    }
  }
  return faults;
}

const topologies = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 5 }).map((pods) =>
  cluster(pods.map((count, n) => node(`host${n + 1}`, `192.168.93.${n + 1}`, Array.from({ length: count }, (_, p) =>
    ({ name: `team-${n}/application-${p}`, veth: `veth${n}${p}`, address: `10.0.${n}.${p + 2}` }))))));

/** Any walk over interfaces that exist: layout must hold for ways that no packet takes, too. */
const walks = topologies.chain((topology) => {
  const places = topology.hosts.flatMap((host) => host.namespaces.flatMap((n) => n.interfaces.map((i) => [host.name, n.name, i.name] as const)));
  const packet = [ip('10.0.0.1', '10.0.0.2', 64)];
  return fc.tuple(fc.constant(topology), fc.array(fc.tuple(fc.constantFrom(...places), fc.constantFrom('in', 'out')), { maxLength: 30 })
    .map((stops): readonly Hop[] => stops.map(([[host, namespace, name], direction]) => hop(host, namespace, name, direction, packet))));
});

const draw = (topology: Topology, sender: Flow, branch: Branch, width: number): Drawing => drawScene(sceneOf(topology, sender, branch), sender, branch, width);

const senderOf = (topology: Topology) => ({ host: topology.hosts[0]!.name, namespace: 'root' });

describe('the boxes', () => {
  test('never overlap and lie in their parents, whatever takes part and however wide the panel is', () => {
    fc.assert(fc.property(walks, fc.integer({ min: 200, max: 1600 }), ([topology, hops], width) => {
      expect(faultsOf(place(sceneOfHops(topology, senderOf(topology), hops), width))).toEqual([]);
    }), { numRuns: 300 });
  });

  test('make room for the notes of a second packet beside the request\'s: no two lie on each other, and none is said twice', () => {
    for (const width of [320, 700, 1400]) {
      const { labels } = draw(articleCluster(), flow(), secondDroppedBranch(), width).way;
      const second = labels.filter(({ journey }) => journey === 'second').map(({ text }) => text);
      expect(second).toEqual(['policy-drop']);
      const boxes = labels.map(({ x, y, anchor, text }): Box => ({ x: anchor === 'start' ? x : x - text.length * 6.4, y: y - 10, width: text.length * 6.4, height: 10 }));
      boxes.forEach((a, i) => { boxes.slice(i + 1).forEach((b) => { expect(overlap(a, b)).toBe(false); }); });
    }
  });

  test('are the same for the same trace and width', () => {
    const drawn = (): unknown => draw(articleCluster(), flow(), serviceBranch(), 700);
    expect(drawn()).toEqual(drawn());
  });

  test('stay where they are when pods and nodes that take no part are added', () => {
    const small = articleCluster();
    const more = cluster([
      node('another', '192.168.93.9', [{ name: 'x/y', veth: 'veth9', address: '10.0.9.2' }]),
      ...small.hosts.filter((host) => host.kind === 'node').map((host) => ({ ...host, namespaces: [...host.namespaces, ...node('n', '1.1.1.1', [{ name: `z/${host.name}`, veth: 'v', address: '10.9.9.9' }]).namespaces.slice(1)] })),
    ]);
    for (const branch of [serviceBranch(), outsideBranch(), bridgedBranch()]) {
      const before = draw(small, flow(), branch, 800);
      const after = draw(more, flow(), branch, 800);
      expect(after.placement).toEqual(before.placement);
      expect(after.way).toEqual(before.way);
    }
  });

  test('stand side by side where there is room, one below the other where there is not', () => {
    expect(draw(articleCluster(), flow(), serviceBranch(), 800).placement.arrangement).toBe('columns');
    expect(draw(articleCluster(), flow(), serviceBranch(), 320).placement.arrangement).toBe('stack');
  });

  test('show only what takes part, and say what does not', () => {
    const { placement, others } = draw(articleCluster(), flow(), serviceBranch(), 800);
    expect(placement.hosts.map((host) => host.name)).toEqual(['host1', 'host3']);
    expect(placement.hosts[0]?.namespaces.map((n) => n.name).sort()).toEqual(['default/pod1', 'root']);
    expect(others).toBe('Not on the way: host2, 2 more pods.');
  });

  test('show what was not passed only on levels where nothing was', () => {
    const names = (branch: Branch): readonly string[] | undefined =>
      draw(articleCluster(), flow(), branch, 800).placement.hosts[0]?.namespaces.find((n) => n.name === 'root')?.interfaces.map((i) => i.name);
    expect(names(serviceBranch())).toEqual(['veth0a0e0f', 'cni0', 'flannel.1', 'eth0']);
    expect(names(bridgedBranch())).toEqual(['veth0a0e0f', 'veth1b2c3d', 'cni0', 'flannel-v6.1', 'flannel.1', 'eth0']);
  });

  test('of a bridge that carried the frame between two pods count as passed, a tunnel that did not as untouched', () => {
    const root = draw(articleCluster(), flow(), bridgedBranch(), 800).placement.hosts[0]?.namespaces.find((n) => n.name === 'root');
    const visited = new Map(root?.interfaces.map((i) => [i.name, i.visited]));
    expect(visited.get('cni0')).toBe(true);
    expect(visited.get('flannel.1')).toBe(false);
  });
});

describe('the way', () => {
  test('has a number for every hop', () => {
    for (const width of [320, 700, 1200]) {
      const { way } = draw(articleCluster(), flow(), serviceBranch(), width);
      expect(way.badges.flatMap((badge) => badge.hops).sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    }
  });

  test('keeps numbers of request and reply apart', () => {
    for (const branch of [serviceBranch(), outsideBranch(), bridgedBranch(), hairpinBranch(), nodePortBranch()]) {
      for (const width of [320, 700, 1200]) {
        const { badges } = draw(articleCluster(), flow(), branch, width).way;
        badges.forEach((a, i) => badges.slice(i + 1).forEach((b) => { expect(Math.hypot(a.x - b.x, a.y - b.y)).toBeGreaterThan(20); }));
      }
    }
  });

  test('has notes that meet neither each other nor a number', () => {
    for (const branch of [serviceBranch(), outsideBranch(), bridgedBranch(), hairpinBranch(), nodePortBranch(), droppedBranch()]) {
      for (const width of [320, 500, 700, 1200]) {
        const { badges, labels } = draw(articleCluster(), flow(), branch, width).way;
        const texts = labels.map(({ x, y, anchor, text }) => ({ name: text, x: anchor === 'start' ? x : x - text.length * 6.4, y: y - 9, width: text.length * 6.4, height: 11 }));
        const numbers = badges.map(({ x, y, hops }) => ({ name: `number ${hops.join()}`, x: x - 10, y: y - 10, width: 20, height: 20 }));
        const meetings = texts.flatMap((text, i) => [...texts.slice(i + 1), ...numbers].filter((other) => overlap(text, other)).map((other) => `${text.name} meets ${other.name} at ${width}`));
        expect(meetings).toEqual([]);
      }
    }
  });

  test('of the request and that of the reply cross, but never lie on each other', () => {
    for (const branch of [serviceBranch(), outsideBranch(), bridgedBranch(), hairpinBranch(), nodePortBranch()]) {
      for (const width of [320, 500, 700, 1500]) {
        const { lines } = draw(articleCluster(), flow(), branch, width).way;
        const segments = lines.flatMap(({ journey, points }) => points.slice(1).map((b, i) => ({ journey, a: points[i]!, b })));
        const shared = segments.flatMap((one, i) => segments.slice(i + 1).filter((other) => other.journey !== one.journey && along(one, other) > 8)
          .map((other) => `${JSON.stringify(one)} on ${JSON.stringify(other)} at ${width}`));
        expect(shared).toEqual([]);
      }
    }
  });

  test('stays on the page, whatever the walk', () => {
    fc.assert(fc.property(walks, fc.integer({ min: 200, max: 1600 }), ([topology, hops], width) => {
      const branch = { ...droppedBranch(), request: { hops } };
      const { placement, way } = draw(topology, { ...flow(), ...senderOf(topology) }, branch, width);
      for (const { x, y } of [...way.lines.flatMap((line) => line.points), ...way.badges, ...way.marks]) {
        expect(x).toBeGreaterThanOrEqual(0);
        expect(y).toBeGreaterThanOrEqual(0);
        expect(x).toBeLessThanOrEqual(placement.width);
        expect(y).toBeLessThanOrEqual(placement.height);
      }
    }), { numRuns: 300 });
  });

  test('runs in right angles only', () => {
    for (const width of [320, 800]) {
      for (const { points } of draw(articleCluster(), flow(), outsideBranch(), width).way.lines) {
        points.slice(1).forEach((point, i) => { expect(point.x === points[i]?.x || point.y === points[i]?.y).toBe(true); });
      }
    }
  });

  test('ends in a mark that gives the reason where the packet died', () => {
    const { way } = draw(articleCluster(), flow(), droppedBranch(), 800);
    expect(way.marks.map((mark) => mark.kind)).toEqual(['start', 'dropped']);
    expect(way.marks[1]?.sentence).toBe('host1 has no route to 10.0.0.46.');
    expect(way.labels.map((label) => label.text)).toContain('no-route');
  });

  test('is marked at the sender where no packet ever left', () => {
    const { way, placement } = draw(articleCluster(), flow(), { ...droppedBranch(), request: { hops: [] } }, 800);
    const pod = placement.hosts[0]?.namespaces.find((n) => n.name === 'default/pod1');
    expect(way.marks).toHaveLength(1);
    expect(pod !== undefined && within({ ...way.marks[0]!, width: 0, height: 0 }, pod)).toBe(true);
  });

  test('of a packet that comes by again and again is one line and one number field', () => {
    const loop = Array.from({ length: 60 }, (_, i) => hop(i % 2 === 0 ? 'host1' : 'lan-gateway', 'root', i % 2 === 0 ? 'eth0' : 'lan', i % 2 === 0 ? 'out' : 'in', [ip('10.0.0.1', '10.0.0.2', 64 - i)]));
    const { way } = draw(articleCluster(), { ...flow(), namespace: 'root' }, { ...droppedBranch(), outcome: 'looped', request: { hops: loop } }, 800);
    expect(way.badges).toHaveLength(2);
    expect(way.badges[0]?.hops).toHaveLength(30);
    expect(way.lines.length).toBeLessThan(6);
  });
});

test('a trace through a cluster of 500 nodes and 20,000 pods is drawn within a frame or two', () => {
  const nodes = Array.from({ length: 500 }, (_, n) => node(`node-${n}`, `10.${n >> 8}.${n & 255}.1`, Array.from({ length: 40 }, (_, p) =>
    ({ name: `default/pod-${n}-${p}`, veth: `veth${n}x${p}`, address: `10.2.${n & 255}.${p + 2}` }))));
  const small = articleCluster();
  const large = cluster([...nodes, ...small.hosts.filter((host) => host.kind === 'node')]);
  const drawing = draw(large, flow(), serviceBranch(), 800);
  // The best of several: what else the machine does is not the layout's.
  const times = Array.from({ length: 10 }, () => {
    const started = performance.now();
    draw(large, flow(), serviceBranch(), 800);
    return performance.now() - started;
  });
  expect(Math.min(...times)).toBeLessThan(33);
  expect(drawing.placement).toEqual(draw(small, flow(), serviceBranch(), 800).placement);
  expect(drawing.others).toBe('Not on the way: 501 more nodes, 20002 more pods.');
});
