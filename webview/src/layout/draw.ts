/** From a branch to everything that the picture needs: scene, boxes and ways. */
import { notesOf } from '../../../engine/src/trace/annotate.ts';
import type { Branch, Hop, Reason } from '../../../engine/src/trace/model.ts';
import type { Topology } from '../../../engine/src/topology/model.ts';
import type { JourneyName, Placement, Stop, Way } from './model.ts';
import { place } from './place.ts';
import { route, type RoutedJourney } from './route.ts';
import { interfaceId, sceneOf, type Sender } from './scene.ts';

export interface Drawing {
  readonly placement: Placement;
  readonly way: Way;
  readonly others: string;
}

/** `width` in pixels. Costs what takes part, whatever the size of the topology. */
export function draw(topology: Topology, sender: Sender, branch: Branch, width: number): Drawing {
  const request = branch.request.hops;
  const reply = branch.reply?.hops ?? [];
  const scene = sceneOf(topology, sender, [...request, ...reply]);
  const placement = place(scene, width);
  const journeys: RoutedJourney[] = [
    { name: 'request', stops: stopsOf('request', request, 0), outcome: branch.outcome, sentence: sentenceOf(branch.reason), from: sender },
    ...(branch.reply === null ? [] : [{
      name: 'reply' as const, stops: stopsOf('reply', reply, request.length), outcome: branch.reply.outcome, sentence: sentenceOf(branch.reply.reason), from: null,
    }]),
  ];
  return { placement, way: route(placement, journeys), others: scene.others };
}

const sentenceOf = (reason: Reason | null): string => reason?.sentence ?? '';

function stopsOf(journey: JourneyName, hops: readonly Hop[], before: number): readonly Stop[] {
  return hops.map((hop, i) => ({
    number: before + i + 1, journey, direction: hop.direction,
    interface: interfaceId(hop.host, hop.namespace, hop.interface), note: noteFor(hop),
  }));
}

/** Marks say delivered, dropped and undecided by themselves; a lookup's detail is for the table. */
function noteFor(hop: Hop): string {
  const note = notesOf(hop).find(({ text, weight }) => weight >= 3 && text !== 'delivered');
  return note === undefined ? '' : note.text.replace(/^[✕?] /, '');
}
