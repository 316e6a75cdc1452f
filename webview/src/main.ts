/** The page of the trace panel. */
import { answerQuestion } from './answer.ts';
import { mount } from './mount.ts';
import type { Host } from './state/store.ts';

declare function acquireVsCodeApi(): Host;

mount(acquireVsCodeApi(), answerQuestion);
