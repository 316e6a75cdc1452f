/** From a branch and what takes part in it to everything that the picture needs: boxes and ways. */
import { notesOf } from '../../../engine/src/trace/annotate.ts';
import { journeysOf, type NamedJourney } from '../../../engine/src/trace/journeys.ts';
import type { Branch, Hop } from '../../../engine/src/trace/model.ts';
import type { Placement, Scene, Stop, Way } from './model.ts';
import { place } from './place.ts';
import { route } from './route.ts';
import { interfaceId, type Sender } from './scene.ts';

export interface Drawing {
  readonly placement: Placement;
  readonly way: Way;
  readonly others: string;
}

/** `width` in pixels. */
export function draw(scene: Scene, sender: Sender, branch: Branch, width: number): Drawing {
  const placement = place(scene, width);
  const sent = new Set(branch.request.hops.map(noteKey));
  const journeys = journeysOf(branch).map((journey) => ({
    name: journey.name, stops: stopsOf(journey, journey.name === 'second' ? sent : NONE), outcome: journey.outcome, sentence: journey.reason?.sentence ?? '', from: journey.name === 'reply' ? null : sender,
  }));
  return { placement, way: route(placement, journeys), others: scene.others };
}

const NONE: ReadonlySet<string> = new Set();

const noteKey = (hop: Hop): string => `${interfaceId(hop.host, hop.namespace, hop.interface)} ${hop.direction} ${noteFor(hop)}`;

/** `told`: notes that stand there already. */
function stopsOf({ name, hops, before }: NamedJourney, told: ReadonlySet<string>): readonly Stop[] {
  return hops.map((hop, i) => ({
    number: before + i + 1, journey: name, direction: hop.direction,
    interface: interfaceId(hop.host, hop.namespace, hop.interface), note: told.has(noteKey(hop)) ? '' : noteFor(hop),
  }));
}

/** Marks say delivered, dropped and undecided by themselves; a lookup's detail is for the table. */
function noteFor(hop: Hop): string {
  const note = notesOf(hop).find(({ text, weight }) => weight >= 3 && text !== 'delivered');
  return note === undefined ? '' : note.text.replace(/^[✕?] /, '');
}
