/** The answers to the requests beyond LSP. */
import { findOfKind, nameOf } from '../../../engine/src/trace/party-names.ts';
import { partiesOf, partnersOf } from '../../../engine/src/trace/partners.ts';
import type { OpenDocument } from './documents.ts';
import type { PartiesResult, PartnersParams, PartnersResult, SpecResult } from './protocol.ts';

export const specOf = ({ version, snapshot }: OpenDocument): SpecResult => ({ version, spec: snapshot.spec() });

export function partnersIn({ snapshot }: OpenDocument, { kind, party }: PartnersParams): PartnersResult {
  const topology = snapshot.topology();
  const found = findOfKind(topology, kind, party);
  return { party: found === undefined ? party : nameOf(topology, found), ...partnersOf(topology, kind, party) };
}

export const partiesIn = ({ snapshot }: OpenDocument): PartiesResult => partiesOf(snapshot.topology());
