/** The kinds of values that a statement's words can be, each with its reader. A reader says what is wrong and the way out. */
import type { Address, Mac, Port, Prefix } from '../../../../engine/src/net/address.ts';
import { bitsOf, formatAddress, formatPrefix, networkOf, parseAddress, parseMac, parsePrefix, samePrefix } from '../../../../engine/src/net/address.ts';
import { whyNotIpv6 } from './address-kind.ts';
import type { Listener } from '../../../../engine/src/topology/model.ts';
import type { PolicyPort } from '../../../../engine/src/topology/network-policy.ts';

export interface ObjectName {
  readonly namespace: string;
  readonly name: string;
}

export interface EndpointValue {
  readonly address: Address;
  readonly port: Port | null;
}

/** One entry of a NetworkPolicy's ports. */
export type PolicyPortValue = Pick<PolicyPort, 'protocol' | 'port' | 'endPort'>;

/** What each kind is read to. */
export interface ValueTypes {
  name: string;
  'object-name': ObjectName;
  'interface-name': string;
  cidr: Prefix;
  address: Address;
  'interface-address': Prefix;
  mac: Mac;
  port: Port;
  listener: Listener;
  'target-port': Port | string;
  'policy-port': PolicyPortValue;
  label: readonly [key: string, value: string];
  endpoint: EndpointValue;
  mtu: number;
  vni: number;
  ndots: number;
  'prefix-length': number;
  seconds: number;
  choice: string;
  file: string;
}

export type ValueKind = keyof ValueTypes;

export type Reading<T> =
  | { readonly ok: true; readonly value: T; readonly warning?: { readonly message: string; readonly instead: string } }
  /** `problem` ends without a full stop. `instead`: what was meant, where it can be told. */
  | { readonly ok: false; readonly problem: string; readonly instead?: string };

const value = <T>(v: T): Reading<T> => ({ ok: true, value: v });

const wrong = (problem: string, instead?: string): Reading<never> =>
  instead === undefined ? { ok: false, problem } : { ok: false, problem, instead };

const NAME = /^[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_])?$/;
/** IFNAMSIZ is 16 with the closing NUL, and dev_valid_name() takes no slash, colon or blank. */
const INTERFACE_NAME = /^[^\s/:]{1,15}$/;

const readName = (text: string): Reading<string> =>
  NAME.test(text) ? value(text) : wrong(`'${text}' is no name: use letters, digits, '-', '_' and '.'`);

function readObjectName(text: string): Reading<ObjectName> {
  const parts = text.split('/');
  const [first = '', second] = parts;
  if (parts.length > 2 || !parts.every((p) => NAME.test(p))) return wrong(`'${text}' is no name: write NAME or NAMESPACE/NAME`);
  return value(second === undefined ? { namespace: 'default', name: first } : { namespace: first, name: second });
}

const readNumber = (text: string, what: string, least: number, most: number): Reading<number> =>
  /^\d{1,10}$/.test(text) && Number(text) >= least && Number(text) <= most
    ? value(Number(text))
    : wrong(`'${text}' is no ${what}: a number from ${least} to ${most} is needed`);

function readAddress(text: string): Reading<Address> {
  const address = parseAddress(text);
  if (address !== undefined) return value(address);
  const prefix = text.includes('/') ? parsePrefix(text) : undefined;
  if (prefix !== undefined) return wrong(`'${text}' is a CIDR where an address is needed`, formatAddress(prefix.address));
  return wrong(`'${text}' is no address${whyNot(text)}`, repaired(text));
}

/** The commonest slips: an octet above 255, a leading zero. */
function whyNot(text: string): string {
  const ipv6 = text.includes(':') ? whyNotIpv6(text) : undefined;
  if (ipv6 !== undefined) return `: ${ipv6}`;
  const octets = text.split('/')[0]?.split('.') ?? [];
  const big = octets.find((o) => /^\d+$/.test(o) && Number(o) > 255);
  if (octets.length > 1 && big !== undefined) return `: ${big} is above 255`;
  if (octets.length === 4 && octets.some((o) => /^0\d/.test(o))) return ': no leading zeros';
  if (/^[\d.]+$/.test(octets.join('.')) && octets.length !== 4) return ': four numbers with dots between them are needed';
  return ', neither IPv4 nor IPv6';
}

function repaired(text: string): string | undefined {
  const plain = text.replace(/(^|\.)0+(?=\d)/g, '$1');
  return plain !== text && parsePrefix(plain) !== undefined ? plain : undefined;
}

function readPrefix(text: string): Reading<Prefix> {
  const prefix = parsePrefix(text);
  if (prefix === undefined) {
    const [head = '', length] = text.split('/');
    const address = parseAddress(head);
    if (address !== undefined && length !== undefined) return wrong(`'${text}' is no CIDR: the length is a number from 0 to ${bitsOf(address.family)}`);
    return wrong(`'${text}' is no CIDR${whyNot(text)}`, repaired(text));
  }
  return text.includes('/') ? value(prefix) : wrong(`'${text}' has no prefix length: write ${text}/LENGTH`);
}

function readCidr(text: string): Reading<Prefix> {
  const reading = readPrefix(text);
  if (!reading.ok) return reading;
  const network = networkOf(reading.value);
  if (samePrefix(network, reading.value)) return reading;
  const instead = formatPrefix(network);
  return { ok: true, value: network, warning: { message: `${text} has bits set behind its length`, instead } };
}

function readMac(text: string): Reading<Mac> {
  const mac = parseMac(text);
  if (mac !== undefined) return value(mac);
  const colons = text.replaceAll('-', ':');
  return wrong(`'${text}' is no MAC: write six pairs of hexadecimal digits, as in 0a:58:0a:00:0e:0f`, parseMac(colons) === undefined ? undefined : colons);
}

const readPort = (text: string): Reading<Port> => readNumber(text, 'port', 1, 65535);

function readListener(text: string): Reading<Listener> {
  const [number = '', protocol = 'TCP', ...more] = text.split('/');
  const port = readPort(number);
  if (!port.ok) return port;
  const upper = protocol.toUpperCase();
  if (more.length > 0 || (upper !== 'TCP' && upper !== 'UDP' && upper !== 'SCTP')) {
    return wrong(`'${protocol}' is no protocol of a port: TCP, UDP or SCTP`);
  }
  return value({ protocol: upper, port: port.value });
}

const isProtocol = (text: string): text is Listener['protocol'] => text === 'TCP' || text === 'UDP' || text === 'SCTP';

/** IANA_SVC_NAME, as container ports are named (apimachinery, IsValidPortName). */
export const PORT_NAME = /^(?=.*[a-z])(?!.*--)[a-z0-9]([a-z0-9-]{0,13}[a-z0-9])?$/;

function readTargetPort(text: string): Reading<Port | string> {
  if (PORT_NAME.test(text)) return value(text);
  const port = readPort(text);
  return port.ok ? port : wrong(`'${text}' is neither a port from 1 to 65535 nor the name of a pod's port`);
}

/** `80/TCP`, `8000-9000/TCP`, `http`; `*` for every port of a protocol. */
function readPolicyPort(text: string): Reading<PolicyPortValue> {
  const [head = '', tail = 'TCP', ...more] = text.split('/');
  const protocol = tail.toUpperCase();
  if (more.length > 0 || !isProtocol(protocol)) return wrong(`'${tail}' is no protocol of a NetworkPolicy: TCP, UDP or SCTP`);
  if (head === '*') return value({ protocol, port: null, endPort: null });
  if (PORT_NAME.test(head)) return value({ protocol, port: head, endPort: null });
  const [first = '', last, ...others] = head.split('-');
  const port = readPort(first);
  if (!port.ok || others.length > 0) return wrong(`'${head}' is no port: write PORT, FIRST-LAST, the name of a pod's port, or *`);
  if (last === undefined) return value({ protocol, port: port.value, endPort: null });
  const end = readPort(last);
  if (!end.ok) return end;
  return end.value < port.value ? wrong(`'${head}' ends before it begins`, `${last}-${first}/${protocol}`) : value({ protocol, port: port.value, endPort: end.value });
}

const LABEL_PART = /^([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?)?$/;

/** A label's key, with or without a prefix. */
export const isLabelKey = (key: string): boolean => key.slice(key.indexOf('/') + 1) !== '' && LABEL_PART.test(key.slice(key.indexOf('/') + 1));

export const isLabelValue = (text: string): boolean => LABEL_PART.test(text);

function readLabel(text: string): Reading<readonly [string, string]> {
  const equals = text.indexOf('=');
  const key = text.slice(0, equals);
  const of = text.slice(equals + 1);
  if (equals < 1) return wrong(`'${text}' is no label: write KEY=VALUE`);
  if (!isLabelKey(key) || !isLabelValue(of)) return wrong(`'${text}' is no label: key and value begin and end with a letter or digit`);
  return value([key, of]);
}

/** `10.0.0.46`, `10.0.0.46:53`, `fd00::1`, `[fd00::1]:53` */
function readEndpoint(text: string): Reading<EndpointValue> {
  const bare = parseAddress(text);
  if (bare !== undefined) return value({ address: bare, port: null });
  const [, v6, v4, digits = ''] = /^(?:\[(.*)\]|([^:]*)):(.*)$/.exec(text) ?? [];
  if (v6 === undefined && v4 === undefined) return readAddress(text) as Reading<never>;
  const address = readAddress(v6 ?? v4 ?? '');
  if (!address.ok) return address;
  const port = readPort(digits);
  return port.ok ? value({ address: address.value, port: port.value }) : port;
}

const READERS: { readonly [K in ValueKind]: (text: string) => Reading<ValueTypes[K]> } = {
  name: readName,
  'object-name': readObjectName,
  'interface-name': (text) => (INTERFACE_NAME.test(text) ? value(text) : wrong(`'${text}' is no device name: at most 15 characters without '/' and ':'`)),
  cidr: readCidr,
  address: readAddress,
  'interface-address': readPrefix,
  mac: readMac,
  port: readPort,
  listener: readListener,
  'target-port': readTargetPort,
  'policy-port': readPolicyPort,
  label: readLabel,
  endpoint: readEndpoint,
  mtu: (text) => readNumber(text, 'MTU', 68, 65535),
  vni: (text) => readNumber(text, 'VNI', 0, 16777215),
  'prefix-length': (text) => readNumber(text, 'prefix length', 1, 128),
  ndots: (text) => readNumber(text, 'ndots', 0, 15),
  seconds: (text) => readNumber(text, 'time in seconds', 1, 86400),
  choice: value,
  file: value,
};

export const readValue = <K extends ValueKind>(kind: K, text: string): Reading<ValueTypes[K]> => READERS[kind](text);
