/** The answers to the requests beyond LSP. */
import { deflateRawSync } from 'node:zlib';
import { findOfKind, nameOf } from '../../../engine/src/trace/party-names.ts';
import { partiesOf, partnersOf } from '../../../engine/src/trace/partners.ts';
import type { OpenDocument } from './documents.ts';
import { repairEdits } from '../language/features/repair-edits.ts';
import type { PartiesResult, PartnersParams, PartnersResult, RepairParams, RepairResult, SpecResult } from './protocol.ts';
import { fileEdits } from './file-edits.ts';
import type { OpenDumps } from './open-dumps.ts';

export const specOf = ({ revision, snapshot }: OpenDocument): SpecResult => 
  ({ revision, said: packed({ spec: snapshot.spec(), expectations: snapshot.expectations }) });

/** The fastest level: the text repeats itself, and someone is typing. */
const packed = (said: unknown): string => deflateRawSync(JSON.stringify(said), { level: 1 }).toString('base64');

export function repairIn(document: OpenDocument, { revision, repair }: RepairParams, dumps: OpenDumps): RepairResult {
  const edits = document.revision === revision ? repairEdits(document.snapshot, repair.edits) : null;
  return edits === null ? null : fileEdits(document, edits, dumps);
}

export function partnersIn({ snapshot }: OpenDocument, { kind, party }: PartnersParams): PartnersResult {
  const topology = snapshot.topology();
  const found = findOfKind(topology, kind, party);
  return { party: found === undefined ? party : nameOf(topology, found), ...partnersOf(topology, kind, party) };
}

export const partiesIn = ({ snapshot }: OpenDocument): PartiesResult => partiesOf(snapshot.topology());
