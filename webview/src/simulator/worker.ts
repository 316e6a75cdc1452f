/** The script of the simulator's worker. */
import type { FromSimulator, ToSimulator } from './messages.ts';
import { serveSimulator } from './serve.ts';

/** What a worker sees of itself; the page's types know windows only. */
declare const self: { onmessage: ((event: { readonly data: ToSimulator }) => void) | null; postMessage(message: FromSimulator): void };

const heard = serveSimulator((message) => { self.postMessage(message); });
self.onmessage = ({ data }) => { heard(data); };
