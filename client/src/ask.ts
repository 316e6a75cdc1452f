/** From a click on "Trace to…", or the palette, to a question for the panel. */
import { window } from 'vscode';
import type { Uri } from 'vscode';
import type { PartnerItem, PartnersParams, PartnersResult } from '../../server/src/lsp/protocol.ts';
import type { Question } from '../../webview/src/protocol.ts';
import { choose } from './choose.ts';
import type { Memory } from './memory.ts';
import type { Server } from './server.ts';

interface Asking {
  readonly server: Server;
  readonly memory: Memory;
}

/** Above a pod or node: whom it sends to. Above a service or an external: who sends to it, and to which of its ports. */
export async function askAbout(asking: Asking, party: PartnersParams): Promise<Question | undefined> {
  const partners = await asking.server.partners(party);
  if (partners === null) {
    void window.showWarningMessage(`k8snet cannot tell whom ${party.kind} ${party.party} can talk to: see the k8snet log under Output.`);
    return undefined;
  }
  return partners.role === 'receiver' ? askReceiver(asking, party, partners.party, partners.partners) : askSender(asking, party, partners);
}

async function askReceiver({ memory }: Asking, party: PartnersParams, from: string, partners: readonly PartnerItem[]): Promise<Question | undefined> {
  const to = await choose({
    title: `Trace from ${from} to…`,
    placeholder: 'a pod, node, service or external; or type a DNS name or an address, with :PORT/PROTOCOL',
    items: partners,
    last: memory.partner(party, 'receiver'),
  });
  if (to === undefined) return undefined;
  memory.rememberPartner(party, 'receiver', to);
  return { from, to };
}

async function askSender({ memory }: Asking, params: PartnersParams, { party, offers, partners }: PartnersResult): Promise<Question | undefined> {
  const to = await chooseOffer(memory, params, party, offers);
  if (to === undefined) return undefined;
  const from = await choose({
    title: `Trace to ${to} from…`,
    placeholder: 'who sends: a pod, node or external',
    items: partners,
    last: memory.partner(params, 'sender'),
  });
  if (from === undefined) return undefined;
  memory.rememberPartner(params, 'sender', from);
  return { from, to };
}

/** Which of a service's ports: asked only where there are several. */
async function chooseOffer(memory: Memory, params: PartnersParams, party: string, offers: readonly PartnerItem[]): Promise<string | undefined> {
  if (offers.length <= 1) return offers[0]?.to ?? party;
  const to = await choose({
    title: `Trace to ${party}`,
    placeholder: 'which port',
    items: offers,
    last: memory.partner(params, 'offer'),
  });
  if (to !== undefined) memory.rememberPartner(params, 'offer', to);
  return to;
}

/** From the palette: asks for the sender first. */
export async function askBoth(asking: Asking, document: Uri): Promise<Question | undefined> {
  const parties = await asking.server.parties(document);
  if (parties === null) {
    void window.showWarningMessage('k8snet cannot read this file\'s network: see the k8snet log under Output.');
    return undefined;
  }
  const { senders, receivers } = parties;
  const uri = document.toString();
  const file = { uri, kind: 'file', party: '' };
  const from = await choose({ title: 'Trace from…', placeholder: 'who sends: a pod, node or external', items: senders, last: asking.memory.partner(file, 'sender') });
  if (from === undefined) return undefined;
  asking.memory.rememberPartner(file, 'sender', from);
  const kind = senders.find((sender) => sender.to === from)?.kind ?? 'pod';
  return askReceiver(asking, { uri, kind, party: from }, from, receivers.filter((receiver) => receiver.to !== from));
}
