/** The networks that always exist. */

/** In the order of the list. */
export const PREDEFINED_NETWORKS = [
  { name: 'bridge', driver: 'bridge' },
  { name: 'host', driver: 'host' },
  { name: 'none', driver: 'null' },
] as const;

/** True for the names of networks that nobody creates or removes, `default` among them. */
export function isPredefined(name: string): boolean {
  return name === 'default' || PREDEFINED_NETWORKS.some((network) => network.name === name);
}
