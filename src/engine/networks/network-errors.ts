/** Errors of the network endpoints, with the texts that Docker's clients know. */
import { EngineError } from '../../shared/errors.ts';

export const ambiguousNetwork = (ref: string, count: number) =>
  new EngineError(
    'invalid-argument',
    `network ${ref} is ambiguous (${count} matches found on ID prefix)`,
  );

export const emptyNetworkName = () =>
  new EngineError('invalid-argument', 'invalid name: name is empty');

export const predefinedNetwork = (name: string) =>
  new EngineError('forbidden', `operation is not permitted on predefined ${name} network `);

export const cannotRemovePredefined = (name: string) =>
  new EngineError('forbidden', `${name} is a pre-defined network and cannot be removed`);

export const unknownNetworkDriver = (driver: string) =>
  new EngineError('not-found', `plugin "${driver}" not found`);

export const unsupportedNetwork = (setting: string, why: string) =>
  new EngineError('invalid-argument', `${setting} is not supported: ${why}`);

/** Docker's bridge driver has one subnet of each family. */
export const severalSubnets = () =>
  new EngineError('forbidden', "bridge driver doesn't support multiple subnets");

export const ipv6Disabled = () =>
  new EngineError(
    'invalid-argument',
    'invalid network config:\ninvalid subnet: an IPv6 subnet needs a network with IPv6 enabled',
  );

export const sharedNamespace = () =>
  new EngineError(
    'invalid-argument',
    'container sharing network namespace with another container or host cannot be connected to any other network',
  );

export const hostNetworkConflict = () =>
  new EngineError(
    'invalid-argument',
    'container cannot be disconnected from host network or connected to host network',
  );

export const noneNetworkConflict = () =>
  new EngineError(
    'invalid-argument',
    'container cannot be connected to multiple networks with one of the networks in private (none) mode',
  );

export const goingAway = (id: string) =>
  new EngineError(
    'conflict',
    `container ${id} is marked for removal and cannot be connected or disconnected to the network`,
  );

export const addressNeedsUserNetwork = () =>
  new EngineError(
    'invalid-argument',
    'user specified IP address is supported on user defined networks only',
  );

export const addressNeedsChosenSubnet = () =>
  new EngineError(
    'invalid-argument',
    'user specified IP address is supported only when connecting to networks with user configured subnets',
  );

export const aliasNeedsUserNetwork = () =>
  new EngineError(
    'invalid-argument',
    'network-scoped alias is supported only for containers in user defined networks',
  );

export const invalidEndpoint = (networkName: string, reason: string) =>
  new EngineError(
    'invalid-argument',
    `invalid config for network ${networkName}: invalid endpoint settings:\n${reason}`,
  );
