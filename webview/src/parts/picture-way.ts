/** The ways through the boxes: lines with arrowheads, numbers, notes, and marks where a journey begins and ends. */
import { nothing, svg, type SVGTemplateResult } from 'lit';
import { JOURNEY_WORDS } from '../../../engine/src/trace/journeys.ts';
import type { Badge, Label, Line, Mark, Point, Way } from '../layout/model.ts';
import { OUTCOME_SIGNS, OUTCOME_WORDS } from '../state/outcome.ts';

export interface WayView {
  /** A hop in a sentence. */
  readonly words: (hop: number) => string;
  readonly selected: number | null;
  readonly hovered: number | null;
  readonly marked: ReadonlySet<number>;
}

export const wayTemplate = (way: Way, view: WayView): SVGTemplateResult => svg`
  ${way.lines.map(lineTemplate)}${way.labels.map(labelTemplate)}${way.marks.map(markTemplate)}
  ${way.badges.map((badge) => badgeTemplate(badge, view))}`;

const CORNER = 7;

/** A path with rounded corners. */
function pathOf(points: readonly Point[]): string {
  const [first] = points;
  if (first === undefined) return '';
  let path = `M${first.x} ${first.y}`;
  for (let i = 1; i < points.length; i++) {
    const before = points[i - 1];
    const here = points[i];
    const next = points[i + 1];
    if (before === undefined || here === undefined) break;
    if (next === undefined) path += `L${here.x} ${here.y}`;
    else {
      const a = towards(here, before);
      const b = towards(here, next);
      path += `L${a.x} ${a.y}Q${here.x} ${here.y} ${b.x} ${b.y}`;
    }
  }
  return path;
}

/** From a corner at most half way to a neighbour. */
function towards(corner: Point, other: Point): Point {
  const length = Math.hypot(other.x - corner.x, other.y - corner.y);
  const share = length === 0 ? 0 : Math.min(CORNER, length / 2) / length;
  return { x: corner.x + (other.x - corner.x) * share, y: corner.y + (other.y - corner.y) * share };
}

/** Just before the number that the line leads to. */
function headOf(points: readonly Point[]): SVGTemplateResult | typeof nothing {
  const end = points.at(-1);
  const before = points.at(-2);
  if (end === undefined || before === undefined) return nothing;
  const length = Math.hypot(end.x - before.x, end.y - before.y);
  if (length < 33) return nothing;
  const angle = (Math.atan2(end.y - before.y, end.x - before.x) * 180) / Math.PI;
  return svg`<path class="arrow" d="M-12 0l-8 -4.5v9z" transform=${`translate(${end.x} ${end.y}) rotate(${angle})`}></path>`;
}

const lineTemplate = (line: Line): SVGTemplateResult => svg`
  <g class=${`way ${line.journey}`}><path class="halo" d=${pathOf(line.points)}></path><path class="line" d=${pathOf(line.points)}></path>${headOf(line.points)}</g>`;

const labelTemplate = (label: Label): SVGTemplateResult => svg`
  <text class=${`note ${label.journey} ${label.anchor}`} data-hop=${label.hop} x=${label.x} y=${label.y} aria-hidden="true">${label.text}</text>`;

function markTemplate(mark: Mark): SVGTemplateResult {
  if (mark.kind === 'start') return svg`<circle class=${`start ${mark.journey}`} cx=${mark.x} cy=${mark.y} r="4"><title>the ${JOURNEY_WORDS[mark.journey]} starts here</title></circle>`;
  const kind = mark.kind === 'delivered' ? 'good' : mark.kind === 'undecided' ? 'unsure' : 'bad';
  const words = `${JOURNEY_WORDS[mark.journey]}: ${OUTCOME_WORDS[mark.kind].toLowerCase()}. ${mark.sentence}`;
  return svg`<g class=${`end ${kind}`} data-hop=${mark.hop} role="img" aria-label=${words} transform=${`translate(${mark.x} ${mark.y})`}>
    <circle r="8"></circle><text y="4" aria-hidden="true">${OUTCOME_SIGNS[mark.kind]}</text><title>${words}</title></g>`;
}

function badgeTemplate(badge: Badge, view: WayView): SVGTemplateResult {
  const [first = 0] = badge.hops;
  const last = badge.hops.at(-1) ?? first;
  const text = first === last ? String(first) : `${first}…`;
  const width = Math.max(20, text.length * 6.4 + 6);
  const has = (hop: number | null): boolean => hop !== null && badge.hops.includes(hop);
  const state = [
    has(view.selected) ? 'selected' : '', has(view.hovered) ? 'hovered' : '', badge.hops.some((hop) => view.marked.has(hop)) ? 'marked' : '',
  ].join(' ');
  const words = `${view.words(first)}${badge.hops.length > 1 ? `; comes by ${badge.hops.length} times, the last time as hop ${last}` : ''}`;
  return svg`<g class=${`badge ${badge.journey} ${state}`} data-hop=${first} role="button" tabindex="0" aria-label=${words} aria-pressed=${has(view.selected) ? 'true' : 'false'}
    transform=${`translate(${badge.x} ${badge.y})`}>
    <rect class="ring" x=${-width / 2 - 4} y="-14" width=${width + 8} height="28" rx="14"></rect>
    <rect class="disc" x=${-width / 2} y="-10" width=${width} height="20" rx="10"></rect>
    <text y="4" aria-hidden="true">${text}</text><title>${words}</title></g>`;
}
