// tier: host
import { testUplinkContract } from '../contract/uplink.ts';
import { requires } from '../support/capabilities.ts';

const MACHINE = ['userns', 'subordinate-ids', 'net-tun', 'busybox', 'ip', 'curl'] as const;

testUplinkContract('slirp4netns', requires(...MACHINE, 'slirp4netns'));
testUplinkContract('pasta', requires(...MACHINE, 'pasta'));
