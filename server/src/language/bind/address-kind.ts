/** What is known of an address by itself, and why a text is none, as the ip-address library tells it. */
import { Address4, Address6, AddressError } from 'ip-address';
import { formatAddress } from '../../../../engine/src/net/address.ts';
import type { Address } from '../../../../engine/src/net/address.ts';

/** "private", "documentation" … as IANA's special-purpose registries sort addresses; `undefined` where nothing is special. */
export function kindOfAddress(address: Address): string | undefined {
  const text = formatAddress(address);
  const known = address.family === 4 ? new Address4(text) : new Address6(text);
  if (known.isLoopback()) return 'loopback';
  if (known.isLinkLocal()) return 'link-local';
  if (known.isMulticast()) return 'multicast';
  if (known.isDocumentation()) return 'reserved for documentation';
  if (known.isCGNAT()) return 'shared address space (RFC 6598)';
  if (known instanceof Address6 && known.isULA()) return 'unique local (RFC 4193)';
  if (known.isPrivate()) return 'private (RFC 1918)';
  return known.isGlobal() ? 'public' : undefined;
}

/** A clause without a full stop: "too many :: groups found". `undefined` where the text is an IPv6 address. */
export function whyNotIpv6(text: string): string | undefined {
  try {
    return new Address6(text).parsedAddress.length === 8 ? undefined : 'eight groups are needed';
  } catch (error) {
    if (!(error instanceof AddressError)) throw error;
    const sentence = error.message.replace(/<[^>]*>/g, '').replace(/\.$/, '');
    return `${sentence.charAt(0).toLowerCase()}${sentence.slice(1)}`;
  }
}
