/** How ports are written in create bodies: `80/tcp`, `8000-8010/udp`, host ports `8080`, `8080-8090`, ``. */
import { invalidPortSyntax } from './wire-errors.ts';

export type PortProtocol = 'tcp' | 'udp' | 'sctp';

/** An inclusive range; a single port has `first === last`. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

export interface ContainerPorts extends PortRange {
  readonly protocol: PortProtocol;
}

const RANGE = /^(\d{1,5})(?:-(\d{1,5}))?$/;

/** Decodes `80`, `80/tcp` or `80-90/udp`; the protocol defaults to tcp. `invalid-argument` otherwise. */
export function parseContainerPorts(text: string): ContainerPorts {
  const [range = '', protocol = 'tcp', ...rest] = text.split('/');
  const name = protocol.toLowerCase();
  const ports = parseRange(range);
  if (rest.length > 0 || ports === undefined || !isProtocol(name)) throw invalidPortSyntax(text);
  return { ...ports, protocol: name };
}

/** Decodes `HostPort`: empty and `0` ask for a random port (undefined). `invalid-argument` otherwise. */
export function parseHostPorts(text: string | undefined): PortRange | undefined {
  if (text === undefined || text === '' || text === '0') return undefined;
  const ports = parseRange(text);
  if (ports === undefined) throw invalidPortSyntax(text);
  return ports;
}

function isProtocol(text: string): text is PortProtocol {
  return text === 'tcp' || text === 'udp' || text === 'sctp';
}

function parseRange(text: string): PortRange | undefined {
  const match = RANGE.exec(text);
  if (match === null) return undefined;
  const first = Number(match[1]);
  const last = Number(match[2] ?? match[1]);
  return first < 1 || last > 65535 || last < first ? undefined : { first, last };
}
