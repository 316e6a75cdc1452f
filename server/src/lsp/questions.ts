/** The answers to the requests beyond LSP. */
import { findOfKind, nameOf } from '../../../engine/src/trace/party-names.ts';
import { partnersOf } from '../../../engine/src/trace/partners.ts';
import type { OpenDocument } from './documents.ts';
import type { PartnersParams, PartnersResult, TopologyResult } from './protocol.ts';

export const topologyOf = ({ version, snapshot }: OpenDocument): TopologyResult => ({ version, topology: snapshot.topology() });

export function partnersIn({ snapshot }: OpenDocument, { kind, party }: PartnersParams): PartnersResult {
  const topology = snapshot.topology();
  const found = findOfKind(topology, kind, party);
  return { party: found === undefined ? party : nameOf(topology, found), ...partnersOf(topology, kind, party) };
}
