/**
 * The picture in numbers: what takes part (`scene.ts`), where its boxes stand (`place.ts`), and how the packet's way
 * runs through them (`route.ts`). Plain records, so that layout is tested without a browser. Units are CSS pixels.
 */
import type { JourneyName } from '../../../engine/src/trace/journeys.ts';
import type { Outcome } from '../../../engine/src/trace/model.ts';

/** From the pods' side of a host to the wire. */
export type Level = 'pod' | 'port' | 'bridge' | 'tunnel' | 'link';

export interface SceneInterface {
  /** `host|namespace|name` */
  readonly id: string;
  readonly name: string;
  /** Its first address, empty without one. */
  readonly detail: string;
  readonly level: Level;
  /** A packet of the shown branch was seen on it. */
  readonly visited: boolean;
  /** The network a link is plugged into. */
  readonly network: string | null;
  /** For a port of a bridge: the namespace at the other end of the cable. */
  readonly peerNamespace: string | null;
}

export interface SceneNamespace {
  readonly host: string;
  readonly name: string;
  readonly interfaces: readonly SceneInterface[];
}

export interface SceneHost {
  readonly name: string;
  readonly kind: 'node' | 'router' | 'external';
  readonly pods: readonly SceneNamespace[];
  /** A packet turns here from the wire into a tunnel or the other way: it passes beside the tunnel's row, above it. */
  readonly turns: boolean;
  /** Journeys that may go the same way here, each with a note of its own. */
  readonly lanes: 1 | 2;
  readonly root: SceneNamespace;
}

/** What takes part, in the order in which the packet first comes to it. */
export interface Scene {
  readonly hosts: readonly SceneHost[];
  readonly networks: readonly { readonly name: string; readonly detail: string }[];
  /** One line of what was left out: "Not on the way: host3, 12 pods." Empty where nothing was. */
  readonly others: string;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Box extends Point {
  readonly width: number;
  readonly height: number;
}

export interface PlacedInterface extends SceneInterface, Box {
  /** Which way on the page a packet travels that comes in here. */
  readonly inward: 'up' | 'down';
}

export interface PlacedNamespace extends Box {
  readonly host: string;
  readonly name: string;
  readonly interfaces: readonly PlacedInterface[];
}

export interface PlacedHost extends Box {
  readonly name: string;
  readonly kind: SceneHost['kind'];
  readonly namespaces: readonly PlacedNamespace[];
}

export interface PlacedNetwork extends Box {
  readonly name: string;
  readonly detail: string;
}

/** Hosts side by side above their networks, or one below the other where the panel is narrow. */
export type Arrangement = 'columns' | 'stack';

export interface Placement {
  readonly arrangement: Arrangement;
  readonly width: number;
  readonly height: number;
  readonly hosts: readonly PlacedHost[];
  readonly networks: readonly PlacedNetwork[];
}

/** A hop as the picture needs it. */
export interface Stop {
  /** From 1, as in the table. */
  readonly number: number;
  readonly journey: JourneyName;
  readonly interface: string;
  readonly direction: 'in' | 'out';
  /** The weightiest note, empty where nothing is worth one. */
  readonly note: string;
}

export interface Line {
  readonly journey: JourneyName;
  readonly points: readonly Point[];
}

export interface Badge extends Point {
  readonly journey: JourneyName;
  /** More than one where the packet comes by again. */
  readonly hops: readonly number[];
}

export interface Label extends Point {
  readonly journey: JourneyName;
  readonly anchor: 'start' | 'end';
  readonly text: string;
  readonly hop: number;
}

/** Where a journey begins, and how it ends. */
export interface Mark extends Point {
  readonly journey: JourneyName;
  readonly kind: 'start' | Outcome;
  /** The reason's sentence; empty on a start and where the packet was delivered. */
  readonly sentence: string;
  readonly hop: number;
}

export interface Way {
  readonly lines: readonly Line[];
  readonly badges: readonly Badge[];
  readonly labels: readonly Label[];
  readonly marks: readonly Mark[];
}
