/** Decoders of the JSON bodies of requests other than containers' own settings. */
import * as v from 'valibot';
import type { ContainerConfig, HostConfig, NetworkingConfig } from './container-config.ts';
import { configEntries, NetworkingConfigSchema } from './container-schemas.ts';
import { command, decode, field, flag, integer, struct, text, textMap, texts } from './decode.ts';
import { HostConfigSchema, UpdateConfigSchema } from './host-config-schema.ts';
import { emptyContainerConfig, invalidField } from './wire-errors.ts';

/** The body of `POST /containers/create`. */
export interface CreateContainerBody {
  readonly config: ContainerConfig;
  readonly hostConfig: HostConfig;
  readonly networkingConfig: NetworkingConfig;
}

const CreateContainerSchema = struct({
  ...configEntries,
  HostConfig: v.optional(HostConfigSchema, {}),
  NetworkingConfig: v.optional(NetworkingConfigSchema, {}),
});

/** Decodes a create body. `invalid-argument` when it holds no field of `Config` at all. */
export function decodeCreateContainer(raw: unknown): CreateContainerBody {
  if (raw === null) throw emptyContainerConfig();
  const {
    HostConfig: hostConfig,
    NetworkingConfig: networkingConfig,
    ...config
  } = decode(CreateContainerSchema, raw);
  if (Object.keys(config).length === 0) throw emptyContainerConfig();
  return { config, hostConfig, networkingConfig };
}

/** Decodes the body of `POST /commit`: a `Config`, or undefined when there is none. */
export function decodeCommitConfig(raw: unknown): ContainerConfig | undefined {
  return raw === undefined || raw === null ? undefined : decode(struct(configEntries), raw);
}

/** Decodes the body of `POST /containers/{id}/update`: the part of `HostConfig` that is to change. */
export function decodeUpdateContainer(raw: unknown): HostConfig {
  return decode(UpdateConfigSchema, raw ?? {});
}

/** Rows and columns, in the order of the wire's `ConsoleSize` (height, width). */
export interface ConsoleSize {
  readonly rows: number;
  readonly columns: number;
}

/** `ConsoleSize` as rows and columns; undefined when it is missing or zero, which means "unknown". */
export function decodeConsoleSize(
  size: readonly number[] | null | undefined,
): ConsoleSize | undefined {
  if (size === undefined || size === null) return undefined;
  const [rows = 0, columns = 0, ...rest] = size;
  if (rest.length > 0 || rows < 0 || columns < 0) {
    throw invalidField('ConsoleSize', 'expected height and width');
  }
  return rows === 0 || columns === 0 ? undefined : { rows, columns };
}

const ExecCreateSchema = struct({
  User: v.optional(text, ''),
  Privileged: v.optional(flag, false),
  Tty: v.optional(flag, false),
  ConsoleSize: field(v.array(integer)),
  AttachStdin: v.optional(flag, false),
  AttachStderr: v.optional(flag, false),
  AttachStdout: v.optional(flag, false),
  DetachKeys: v.optional(text, ''),
  Env: v.optional(texts, []),
  WorkingDir: v.optional(text, ''),
  Cmd: v.optional(command, []),
});

/** The body of `POST /containers/{id}/exec`. */
export type ExecCreateBody = v.InferOutput<typeof ExecCreateSchema>;

export function decodeExecCreate(raw: unknown): ExecCreateBody {
  return decode(ExecCreateSchema, raw);
}

const ExecStartSchema = struct({
  Detach: v.optional(flag, false),
  Tty: v.optional(flag, false),
  ConsoleSize: field(v.array(integer)),
});

/** The body of `POST /exec/{id}/start`; all its fields are optional, and so is the body. */
export type ExecStartBody = v.InferOutput<typeof ExecStartSchema>;

export function decodeExecStart(raw: unknown): ExecStartBody {
  return decode(ExecStartSchema, raw ?? {});
}

const CreateVolumeSchema = struct({
  Name: v.optional(text, ''),
  Driver: v.optional(text, ''),
  DriverOpts: v.optional(textMap, {}),
  Labels: v.optional(textMap, {}),
  /** For swarms only; what is in it does not matter. */
  ClusterVolumeSpec: v.nullish(v.unknown()),
});

/** The body of `POST /volumes/create`; may be empty. */
export type CreateVolumeBody = v.InferOutput<typeof CreateVolumeSchema>;

export function decodeCreateVolume(raw: unknown): CreateVolumeBody {
  return decode(CreateVolumeSchema, raw ?? {});
}
