/** The simulator in a worker: deriving a large cluster takes longer than a keystroke, and page and editor may share a thread. */
import type { FromSimulator } from './messages.ts';
import { lineTo } from './line.ts';
import type { Simulator } from './line.ts';

/**
 * `script`: where the worker's script is. A webview's files are of another origin than its page, and a worker's script
 * must be of the page's own: so it is fetched, and the worker made of what came.
 */
export function simulatorInWorker(script: URL): Simulator {
  const worker = start(script);
  const line = lineTo((message) => {
    void worker.then((w) => { w.postMessage(message); }, (error: unknown) => { line.broken(`its script could not be loaded: ${String(error)}`); });
  });
  worker.then((w) => {
    w.onmessage = ({ data }: MessageEvent<FromSimulator>) => { line.receive(data); };
    w.onerror = ({ message }) => { line.broken(message); };
  }, () => undefined);
  return line.simulator;
}

async function start(script: URL): Promise<Worker> {
  const answer = await fetch(script);
  if (!answer.ok) throw new Error(`${script.href}: ${answer.status}`);
  return new Worker(URL.createObjectURL(new Blob([await answer.text()], { type: 'text/javascript' })));
}
