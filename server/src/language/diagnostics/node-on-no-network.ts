import { homelessNodes } from '../bind/objects.ts';
import type { Check } from './check.ts';
import { defineDiagnostic, report } from './define.ts';

/** A Node object has addresses, but a device on a network needs that network. */
export const nodeOnNoNetwork = defineDiagnostic<{ readonly node: string; readonly address: string }>({
  code: 'K8N3104',
  slug: 'node-on-no-network',
  severity: 'warning',
  message: (p) => `No network of this file holds ${p.address}, node ${p.node}'s address, so nothing reaches the node: declare it with 'network NAME CIDR'`,
});

export const checkHomelessNodes: Check = function* ({ model, names }) {
  const [file] = model.objectFiles;
  if (file === undefined) return;
  for (const { name, address } of homelessNodes(model.objects, model.networks, names.nodes)) {
    const at = model.objectFiles.find((f) => f.path === name.elsewhere?.file)?.at ?? file.at;
    yield report(nodeOnNoNetwork, { node: name.value, address }, name.elsewhere === undefined ? at : { ...at, elsewhere: name.elsewhere });
  }
};
