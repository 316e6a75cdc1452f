/** The page of the trace panel. */
import { simulator } from './answer.ts';
import { mount } from './mount.ts';
import type { Host } from './state/store.ts';

declare function acquireVsCodeApi(): Host;

mount(acquireVsCodeApi(), simulator);
