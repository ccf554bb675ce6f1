/** The network between the machine's namespace and the helper that leads out of it, the same for every helper. */

/** Name of the interface inside. */
export const UPLINK_INTERFACE = 'tap0';
/** slirp4netns fixes the last byte of the addresses: 100 is ours, 2 the way out, 3 forwards DNS. */
export const UPLINK_CIDR = '10.0.2.0/24';
/** The largest frame slirp4netns takes is 65521 bytes; fewer, larger packets are what makes helpers fast. */
export const UPLINK_MTU = 65_520;
/** Where the helper leaves the choice: slirp4netns has fd00::/64, in which some hosts have addresses themselves. */
export const UPLINK_IPV6 = { address: 'fd10:0:2::100', gateway: 'fd10:0:2::2' } as const;
/** How long a helper may take to set up its network. */
export const UPLINK_START_TIMEOUT_MS = 15_000;
