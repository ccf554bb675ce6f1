/** Decoders of `Config` and `NetworkingConfig`. The `satisfies` clauses keep schemas and types field for field equal. */
import * as v from 'valibot';
import type {
  ContainerConfig,
  EndpointSettings,
  HealthConfig,
  NetworkingConfig,
} from './container-config.ts';
import { command, field, flag, integer, keySet, struct, text, textMap, texts } from './decode.ts';

/** A schema for every field of `T`, each giving that field's type. */
export type Entries<T> = { [Key in keyof Required<T>]: v.GenericSchema<unknown, unknown> };

const healthEntries = {
  Test: field(texts),
  Interval: field(integer),
  Timeout: field(integer),
  Retries: field(integer),
  StartPeriod: field(integer),
  StartInterval: field(integer),
} satisfies Entries<HealthConfig>;

/** The fields of `Config`, to be merged with others where a body carries them side by side. */
export const configEntries = {
  Hostname: field(text),
  Domainname: field(text),
  User: field(text),
  AttachStdin: field(flag),
  AttachStdout: field(flag),
  AttachStderr: field(flag),
  ExposedPorts: field(keySet),
  Tty: field(flag),
  OpenStdin: field(flag),
  StdinOnce: field(flag),
  Env: field(texts),
  Cmd: field(command),
  Healthcheck: field(struct(healthEntries)),
  ArgsEscaped: field(flag),
  Image: field(text),
  Volumes: field(keySet),
  WorkingDir: field(text),
  Entrypoint: field(command),
  NetworkDisabled: field(flag),
  MacAddress: field(text),
  OnBuild: field(texts),
  Labels: field(textMap),
  StopSignal: field(text),
  StopTimeout: field(integer),
  Shell: field(command),
} satisfies Entries<ContainerConfig>;

const endpointEntries = {
  NetworkID: field(text),
  IPAMConfig: field(
    struct({
      IPv4Address: field(text),
      IPv6Address: field(text),
      LinkLocalIPs: field(texts),
    }),
  ),
  Links: field(texts),
  Aliases: field(texts),
  MacAddress: field(text),
  DriverOpts: field(textMap),
  GwPriority: field(integer),
} satisfies Entries<EndpointSettings>;

/** The settings of one endpoint. */
export const EndpointSettingsSchema = struct(endpointEntries);

/** `NetworkingConfig`: settings by network name; `null` joins a network with nothing special. */
export const NetworkingConfigSchema = struct({
  EndpointsConfig: field(v.record(text, v.nullable(EndpointSettingsSchema))),
} satisfies Entries<NetworkingConfig>) satisfies v.GenericSchema<unknown, NetworkingConfig>;
