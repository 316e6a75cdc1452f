/** Who a name in an `expect` means: the order of the reference's last section, as far as names alone can tell. */
import { parseAddress } from '../../../../engine/src/net/address.ts';
import type { KnownNames } from '../../../../engine/src/trace/party-names.ts';
import type { ExternalDeclaration, NodeDeclaration, PodDeclaration, ServiceDeclaration } from './declarations.ts';
import { DEFAULT_DOMAIN } from './defaults.ts';
import type { FileModel, Placed } from './file-model.ts';
import type { Names } from './names.ts';

export type Party = Placed<PodDeclaration | NodeDeclaration | ServiceDeclaration | ExternalDeclaration>;

/** `address`: it names no object. `unknown`: nobody has the name. */
export type PartyBinding = { readonly kind: 'object'; readonly party: Party } | { readonly kind: 'address' } | { readonly kind: 'unknown' };

const UNKNOWN: PartyBinding = { kind: 'unknown' };

const withNamespace = (name: string): string => (name.includes('/') ? name : `default/${name}`);

const bound = (party: Party | undefined): PartyBinding => (party === undefined ? UNKNOWN : { kind: 'object', party });

/** `sender`: the namespace of the pod that asks, for short DNS names. */
export function bindParty(name: string, names: Names, model: FileModel, sender: string): PartyBinding {
  const slash = name.indexOf('/');
  const prefix = slash < 0 ? '' : name.slice(0, slash);
  const rest = name.slice(slash + 1);
  switch (prefix) {
    case 'pod': return bound(names.pods.get(withNamespace(rest)));
    case 'node': return bound(names.nodes.get(rest));
    case 'service': return bound(names.services.get(withNamespace(rest)));
    case 'external': return bound(names.externals.get(rest));
    default:
  }
  const object = names.pods.get(withNamespace(name)) ?? names.nodes.get(name) ?? names.services.get(withNamespace(name)) ?? names.externals.get(name);
  if (object !== undefined) return bound(object);
  if (parseAddress(name.replace(/^\[|\]$/g, '')) !== undefined) return { kind: 'address' };
  return name.includes('/') ? UNKNOWN : bound(serviceByDns(name, names, model, sender));
}

/** `web`, `web.shop`, `web.shop.svc`, `web.shop.svc.cluster.local`, with or without the last dot. */
function serviceByDns(name: string, names: Names, model: FileModel, sender: string): Party | undefined {
  const domain = domainOf(model);
  const plain = name.replace(/\.$/, '');
  const inCluster = plain.endsWith(`.${domain}`) ? plain.slice(0, -domain.length - 1) : plain;
  const [service = '', namespace = sender, kind = 'svc', ...more] = inCluster.split('.');
  if (kind === 'svc' && more.length === 0) return names.services.get(`${namespace}/${service}`);
  // HOST.SERVICE.NAMESPACE.svc: a pod of a headless service.
  const [, , headlessNamespace, svc] = inCluster.split('.');
  return svc === 'svc' ? names.services.get(`${headlessNamespace ?? ''}/${namespace}`) : undefined;
}

/** What a misspelt party may have meant, in the form that people write. */
export function knownNames(names: Names, model: FileModel): KnownNames {
  const services = [...names.services.keys()].map((key) => {
    const [namespace = '', name = ''] = key.split('/');
    return { namespace, name };
  });
  const short = (key: string): string => (key.startsWith('default/') ? key.slice(8) : key);
  return {
    names: [...[...names.pods.keys(), ...names.services.keys()].map(short), ...names.nodes.keys(), ...names.externals.keys(), ...services.map((s) => `${s.name}.${s.namespace}`)],
    services,
    domain: domainOf(model),
  };
}

const domainOf = (model: FileModel): string => model.clusters[0]?.declaration.domain?.value ?? DEFAULT_DOMAIN;
