/** What a random cluster consists of, and the addresses that its parts have. */
import fc from 'fast-check';
import { oneOf } from './random-matches.ts';
import type { Vocabulary } from './random-matches.ts';

type Stack = 'IPv4' | 'dual' | 'IPv6';

export interface Shape {
  readonly stack: Stack;
  readonly nodes: number;
  readonly pods: readonly number[];
}

export const shape: fc.Arbitrary<Shape> = fc.record({
  stack: fc.oneof({ weight: 5, arbitrary: fc.constant<Stack>('IPv4') }, { weight: 2, arbitrary: fc.constant<Stack>('dual') }, { weight: 2, arbitrary: fc.constant<Stack>('IPv6') }),
  nodes: oneOf([1, 2, 2, 3]),
  pods: fc.array(oneOf([1, 2, 2, 3]), { minLength: 3, maxLength: 3 }),
});

/** A part of the file that is there in one case of `n`; shrinks to nothing. */
export const seldom = (n: number, arbitrary: fc.Arbitrary<string>): fc.Arbitrary<string> => fc.integer({ min: 1, max: n }).chain((i) => (i === n ? arbitrary : fc.constant('')));

export const has4 = ({ stack }: Shape): boolean => stack !== 'IPv6';
export const has6 = ({ stack }: Shape): boolean => stack !== 'IPv4';
export const familiesOf = (s: Shape): readonly (4 | 6)[] => [...(has4(s) ? [4 as const] : []), ...(has6(s) ? [6 as const] : [])];

/** Addresses of both families where the stack has both. */
export const both = (s: Shape, four: string, six: string): string => [...(has4(s) ? [four] : []), ...(has6(s) ? [six] : [])].join(', ');

export const podName = (node: number, pod: number): string => `pod${node}${pod}`;
export const podAddress = (family: 4 | 6, node: number, pod: number): string => (family === 4 ? `10.0.${node}.1${pod}` : `fd00:10:${node}::1${pod}`);
export const hostAddress = (family: 4 | 6, node: number): string => (family === 4 ? `192.168.93.21${node}` : `fd00:93::21${node}`);
export const serviceAddress = (family: 4 | 6, i: number): string => (family === 4 ? `10.16.0.1${i}` : `fd00:16::1${i}`);
export const podSubnet = (family: 4 | 6, node: number): string => (family === 4 ? `10.0.${node}.0/24` : `fd00:10:${node}::/64`);
export const gateway = (family: 4 | 6): string => (family === 4 ? '192.168.93.254' : 'fd00:93::254');

export const range = (n: number): readonly number[] => Array.from({ length: n }, (_, i) => i + 1);
export const podsOf = (s: Shape): readonly (readonly [number, number])[] => range(s.nodes).flatMap((node) => range(s.pods[node - 1] ?? 1).map((pod) => [node, pod] as const));

export function vocabulary(s: Shape, family: 4 | 6): Vocabulary {
  const length = family === 4 ? 32 : 128;
  const pods = podsOf(s).map(([node, pod]) => podAddress(family, node, pod));
  const hosts = range(s.nodes).map((node) => hostAddress(family, node));
  const services = range(2).map((i) => serviceAddress(family, i));
  return {
    family, pods, hosts, services,
    prefixes: [...pods.map((a) => `${a}/${length}`), ...hosts.map((a) => `${a}/${length}`), ...services.map((a) => `${a}/${length}`), ...(family === 4 ? ['10.0.0.0/16', '10.0.1.0/24', '10.0.2.0/24', '10.16.0.0/16', '192.168.93.0/24', '203.0.113.0/24'] : ['fd00:10::/32', 'fd00:10:1::/64', 'fd00:16::/108', 'fd00:93::/64'])],
    devices: ['cni0', 'eth0', 'flannel.1', 'lo', 'flannel+', 'eth+'],
    macs: ['02:00:00:00:01:01', '0a:58:0a:00:01:0b', '02:00:00:00:00:99'],
  };
}
