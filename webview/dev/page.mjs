// The panel outside the editor. `?scenario=NAME&theme=light|dark|high-contrast`: a file's spec and a question that the engine
// traces here, or a recorded trace with its topology. `panel.posted` lists what the editor would receive; `panel.store` takes messages.
import { sceneOf } from '../src/layout/scene.ts';
import { mount } from '../src/mount.ts';
import { simulatorInWorker } from '../src/simulator/in-worker.ts';
import { offersFor } from '../src/simulator/offers.ts';

const query = new URLSearchParams(location.search);
document.documentElement.dataset.theme = query.get('theme') ?? 'light';
const scenario = await (await fetch(`${query.get('scenario') ?? 'dns'}.json`)).json();

const KEY = 'k8snet-panel-state';
const posted = [];
const host = {
  postMessage: (message) => { posted.push(message); },
  getState: () => JSON.parse(sessionStorage.getItem(KEY) ?? 'null') ?? undefined,
  setState: (state) => { sessionStorage.setItem(KEY, JSON.stringify(state)); },
};
const recorded = ({ topology, flow, trace }) => ({
  ask: (said, question, hear) => { hear({ type: 'answered', answer: { kind: 'traced', flow, trace, scenes: trace.branches.map((branch) => sceneOf(topology, flow, branch)) } }); },
  offers: async (role, typed) => offersFor(topology, role, typed),
});
const store = mount(host, scenario.trace === undefined ? simulatorInWorker(new URL('simulator.js', location.href)) : recorded(scenario));
globalThis.panel = { store, posted, scenario };
store.receive({ type: 'show', file: scenario.file, revision: 1, said: scenario.said ?? '', question: scenario.question });
