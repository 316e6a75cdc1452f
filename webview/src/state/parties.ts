/** The texts by which a question names its two ends. */

/** A sender has no port of its own to name: `kube-dns:53/UDP` sends as `kube-dns`, `[fd00::1]:53` as `fd00::1`. */
export function withoutPort(party: string): string {
  const bracketed = /^\[([^\]]*)\]/.exec(party);
  if (bracketed !== null) return bracketed[1] ?? party;
  const colons = party.split(':').length - 1;
  return colons === 1 ? party.replace(/:.*$/, '') : party.replace(/\/(TCP|UDP|SCTP|ICMP)$/i, '');
}
