/** The page of the trace panel. */
import { mount } from './mount.ts';
import { simulatorInWorker } from './simulator/in-worker.ts';
import type { Host } from './state/store.ts';

declare function acquireVsCodeApi(): Host;

mount(acquireVsCodeApi(), simulatorInWorker(new URL('simulator.js', import.meta.url)));
