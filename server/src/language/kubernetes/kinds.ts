/** Every kind of object that matters to a packet, each with its reader, and those that do not. */
import type { NamespaceDeclaration, NetworkPolicyDeclaration, PodDeclaration } from '../bind/declarations.ts';
import type { ClusterPart } from './config-map.ts';
import { readConfigMap, readServiceCidr } from './config-map.ts';
import type { EndpointsObject } from './endpoints.ts';
import { readEndpointSlice, readEndpoints } from './endpoints.ts';
import type { Fields } from './fields.ts';
import { baseOf } from './fields.ts';
import { metadataOf } from './metadata.ts';
import { readNetworkPolicy } from './network-policy.ts';
import type { NodeObject } from './node.ts';
import { readNode } from './node.ts';
import { readPod } from './pod.ts';
import type { ServiceObject } from './service.ts';
import { readService } from './service.ts';

/** What each kind is read to. */
interface ObjectTypes {
  readonly node: NodeObject;
  readonly pod: PodDeclaration;
  readonly service: ServiceObject;
  readonly endpoints: EndpointsObject;
  readonly namespace: NamespaceDeclaration;
  readonly 'network-policy': NetworkPolicyDeclaration;
  readonly cluster: ClusterPart;
}

export type ObjectKind = keyof ObjectTypes;

export type ObjectOf<K extends ObjectKind> = ObjectTypes[K];

export type KubernetesObject = { readonly [K in ObjectKind]: { readonly kind: K; readonly object: ObjectTypes[K] } }[ObjectKind];

interface Reader {
  readonly read: (object: Fields) => KubernetesObject | null;
  /** Behind the group, the usual one first. */
  readonly versions: readonly string[];
}

/** `ignored`: fields at the top of the object that change nothing. */
const reader = <K extends ObjectKind>(kind: K, read: (object: Fields) => ObjectOf<K> | null, ignored: readonly string[] = [], versions = ['v1']): Reader => ({
  versions,
  read: (fields) => {
    const object = read(fields);
    fields.rest(['apiVersion', 'kind', ...ignored]);
    return object === null ? null : ({ kind, object } as KubernetesObject);
  },
});

function readNamespace(object: Fields): NamespaceDeclaration | null {
  const metadata = metadataOf(object);
  return metadata === null ? null : { kind: 'namespace', ...baseOf(object), name: metadata.name, labels: metadata.labels };
}

/** Objects without a group are of `v1`. */
const READERS: Readonly<Record<string, Reader>> = {
  'Node': reader('node', readNode),
  'Pod': reader('pod', readPod),
  'Service': reader('service', readService),
  'Endpoints': reader('endpoints', readEndpoints),
  'Namespace': reader('namespace', readNamespace, ['spec', 'status']),
  'ConfigMap': reader('cluster', readConfigMap, ['binaryData', 'immutable']),
  'discovery.k8s.io/EndpointSlice': reader('endpoints', readEndpointSlice, [], ['v1', 'v1beta1']),
  'networking.k8s.io/NetworkPolicy': reader('network-policy', readNetworkPolicy, ['status']),
  'networking.k8s.io/ServiceCIDR': reader('cluster', readServiceCidr, ['status'], ['v1', 'v1beta1', 'v1alpha1']),
};

/** A name that every JavaScript object has is no kind. */
const own = <T>(record: Readonly<Record<string, T>>, key: string): T | undefined => (Object.hasOwn(record, key) ? record[key] : undefined);

export const readerOf = (group: string, kind: string): Reader | undefined => own(READERS, group === '' ? kind : `${group}/${kind}`);

/** What runs, stores or allows something, and leads no packet anywhere by itself: pods, services and rules do. */
const CHANGE_NOTHING: Readonly<Record<string, readonly string[]>> = {
  '': ['ComponentStatus', 'Event', 'LimitRange', 'PersistentVolume', 'PersistentVolumeClaim', 'PodTemplate', 'ReplicationController', 'ResourceQuota', 'ServiceAccount'],
  'apps': ['ControllerRevision', 'DaemonSet', 'Deployment', 'ReplicaSet', 'StatefulSet'],
  'batch': ['CronJob', 'Job'],
  'autoscaling': ['HorizontalPodAutoscaler'],
  'policy': ['PodDisruptionBudget', 'PodSecurityPolicy'],
  'rbac.authorization.k8s.io': ['ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding'],
  'storage.k8s.io': ['CSIDriver', 'CSINode', 'CSIStorageCapacity', 'StorageClass', 'VolumeAttachment', 'VolumeAttributesClass'],
  'scheduling.k8s.io': ['PriorityClass'],
  'node.k8s.io': ['RuntimeClass'],
  'coordination.k8s.io': ['Lease'],
  'events.k8s.io': ['Event'],
  'certificates.k8s.io': ['CertificateSigningRequest', 'ClusterTrustBundle'],
  'admissionregistration.k8s.io': ['MutatingWebhookConfiguration', 'ValidatingAdmissionPolicy', 'ValidatingAdmissionPolicyBinding', 'ValidatingWebhookConfiguration'],
  'apiextensions.k8s.io': ['CustomResourceDefinition'],
  'apiregistration.k8s.io': ['APIService'],
  'flowcontrol.apiserver.k8s.io': ['FlowSchema', 'PriorityLevelConfiguration'],
  'networking.k8s.io': ['IPAddress', 'Ingress', 'IngressClass'],
};

export const changesNothing = (group: string, kind: string): boolean => own(CHANGE_NOTHING, group)?.includes(kind) ?? false;
