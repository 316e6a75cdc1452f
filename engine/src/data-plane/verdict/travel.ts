/** A packet from its start in a namespace to its end, into tunnels and out of them. */
import { receive, send } from './path.ts';
import type { ProgramDevice, ProgramNamespace } from './program.ts';
import { TUNNEL } from './scratch.ts';
import type { Scratch } from './scratch.ts';
import { decapsulate, encapsulate } from './tunnel.ts';

export function travel(s: Scratch, from: ProgramNamespace): void {
  send(s, from, null);
  while (!s.over) throughTunnel(s);
}

function throughTunnel(s: Scratch): void {
  const { tunnelWork, tunnel } = s;
  s.tunnelWork = TUNNEL.none;
  switch (tunnelWork) {
    case TUNNEL.encapsulate: {
      const device = tunnel as ProgramDevice;
      const underlay = encapsulate(s, device);
      if (!s.over) send(s, device.namespace, underlay);
      return;
    }
    case TUNNEL.decapsulate: {
      const device = decapsulate(s);
      if (device !== null) receive(s, device);
      return;
    }
    default:
      throw new Error('a packet has neither ended nor gone on');
  }
}
