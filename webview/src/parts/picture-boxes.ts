/** Hosts, namespaces, interfaces and networks as nested boxes. */
import { nothing, svg, type SVGTemplateResult } from 'lit';
import { PAD, TITLE } from '../layout/host.ts';
import type { Box, PlacedHost, PlacedInterface, PlacedNamespace, PlacedNetwork, Placement } from '../layout/model.ts';
import { shorten } from '../layout/route.ts';

export const boxesTemplate = ({ hosts, networks }: Placement): SVGTemplateResult => svg`
  ${hosts.map(hostTemplate)}${networks.map(networkTemplate)}`;

const rect = (kind: string, { x, y, width, height }: Box, radius: number): SVGTemplateResult =>
  svg`<rect class=${kind} x=${x + 0.5} y=${y + 0.5} width=${Math.max(0, width - 1)} height=${Math.max(0, height - 1)} rx=${radius}></rect>`;

/** The middle, as text is anchored there. */
const centre = (box: Box): number => box.x + box.width / 2;

const hostTemplate = (host: PlacedHost): SVGTemplateResult => svg`
  <g>${rect(`host ${host.kind}`, host, 6)}
    <text class="title" x=${centre(host)} y=${host.y + 16}>${shorten(host.name, Math.floor(host.width / 8))}<tspan class="kind" dx="6">${host.kind}</tspan></text>
    ${host.namespaces.map((namespace) => namespaceTemplate(namespace, host))}
  </g>`;

function namespaceTemplate(namespace: PlacedNamespace, host: PlacedHost): SVGTemplateResult {
  const root = namespace === host.namespaces.find((n) => n.name === 'root');
  if (root) {
    return svg`<g>${rect('netns root', namespace, 4)}
      ${host.kind === 'node' ? svg`<text class="subtitle" x=${centre(namespace.interfaces[0] ?? namespace)} y=${namespace.y + 14}>root netns</text>` : nothing}
      ${namespace.interfaces.map(interfaceTemplate)}</g>`;
  }
  // The title stands at the side away from the wire: below in a mirrored host.
  const first = namespace.interfaces[0];
  const below = first !== undefined && first.y - namespace.y <= PAD;
  const y = below ? namespace.y + namespace.height - 8 : namespace.y + TITLE - 8;
  return svg`<g>${rect('netns pod', namespace, 4)}
    <text class="pod-name" x=${centre(namespace)} y=${y}>${shorten(namespace.name, Math.floor((namespace.width - 72) / 6.2))}<title>pod ${namespace.name}</title></text>
    ${namespace.interfaces.map(interfaceTemplate)}</g>`;
}

function interfaceTemplate(device: PlacedInterface): SVGTemplateResult {
  const room = Math.floor((device.width - (device.visited ? 64 : 10)) / 6.7);
  const withAddress = device.detail !== '' && device.name.length + 1 + device.detail.length <= room;
  return svg`<g class=${device.visited ? '' : 'idle'}>${rect(`device ${device.level}`, device, 3)}
    <text class="device-name" x=${centre(device)} y=${device.y + 18}>${shorten(device.name, room)}${withAddress ? svg`<tspan class="address" dx="6">${device.detail}</tspan>` : nothing}<title>${device.name} ${device.detail}</title></text></g>`;
}

function networkTemplate(network: PlacedNetwork): SVGTemplateResult {
  const room = Math.floor((network.width - 70) / 6.7);
  const text = network.name.length + 1 + network.detail.length <= room ? `${network.name} ${network.detail}` : network.name;
  return svg`<g>${rect('network', network, 12)}
    <text class="subtitle" x=${centre(network)} y=${network.y + network.height / 2 + 4}>${shorten(text, Math.max(4, room))}</text></g>`;
}
