/** `ip -j neigh` and `bridge -j fdb`: ipneigh.c print_neigh(), bridge/fdb.c print_fdb(). */
import type { JsonNode } from './json-text.ts';
import type { Field, Fields, Strange, Transcript } from './transcript.ts';
import { draftLine, flags, ignored, named, writeMembers } from './transcript.ts';

const NEIGHBOUR: Fields = new Map<string, Field>([
  ['dst', { kind: 'bare' }],
  ['state', { kind: 'bare' }],
  ...named('dev', 'lladdr', ['protocol', 'proto'], 'vid', 'nhid'),
  ...flags('proxy', 'router', 'extern_learn', 'offload', 'managed'),
  ...ignored('used', 'confirmed', 'updated', 'probes', 'refcnt', 'extern_valid'),
]);

export function neighbourLines(record: JsonNode, path: string, strange: Strange[]): Transcript[] {
  const line = draftLine(record, path);
  writeMembers(line, record, path, NEIGHBOUR, ['dst', 'dev', 'lladdr'], strange);
  return [line];
}

const FDB: Fields = new Map<string, Field>([
  ['mac', { kind: 'bare' }],
  ['state', { kind: 'bare' }],
  ['flags', { kind: 'bare' }],
  ...named(['ifname', 'dev'], 'dst', 'port', 'vni', ['viaIf', 'via'], 'vlan', 'master', 'nhid', 'src_vni'),
  ...ignored('used', 'updated', 'opState', 'linkNetNsId', 'viaIfIndex', 'vlanTunnel', 'protocol', 'activity_notify', 'inactive'),
]);

export function fdbLines(record: JsonNode, path: string, strange: Strange[]): Transcript[] {
  const line = draftLine(record, path);
  writeMembers(line, record, path, FDB, ['mac', 'ifname'], strange);
  return [line];
}
