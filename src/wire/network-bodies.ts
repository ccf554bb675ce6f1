/** Decoders of the JSON bodies of requests about networks. */
import * as v from 'valibot';
import { EndpointSettingsSchema } from './container-schemas.ts';
import { decode, field, flag, struct, text, textMap } from './decode.ts';

const IpamPoolSchema = struct({
  Subnet: v.optional(text, ''),
  IPRange: v.optional(text, ''),
  Gateway: v.optional(text, ''),
  AuxiliaryAddresses: v.optional(textMap, {}),
});

const CreateNetworkSchema = struct({
  Name: v.optional(text, ''),
  Driver: v.optional(text, ''),
  Scope: v.optional(text, ''),
  Internal: v.optional(flag, false),
  Attachable: v.optional(flag, false),
  Ingress: v.optional(flag, false),
  ConfigOnly: v.optional(flag, false),
  EnableIPv4: v.optional(flag, true),
  EnableIPv6: v.optional(flag, false),
  IPAM: v.optional(
    struct({
      Driver: v.optional(text, ''),
      Config: v.optional(v.array(IpamPoolSchema), []),
      Options: v.optional(textMap),
    }),
    {},
  ),
  Options: v.optional(textMap, {}),
  Labels: v.optional(textMap, {}),
});

/** The body of `POST /networks/create`. */
export type CreateNetworkBody = v.InferOutput<typeof CreateNetworkSchema>;

export function decodeCreateNetwork(raw: unknown): CreateNetworkBody {
  return decode(CreateNetworkSchema, raw ?? {});
}

const ConnectNetworkSchema = struct({
  Container: v.optional(text, ''),
  EndpointConfig: field(EndpointSettingsSchema),
});

/** The body of `POST /networks/{id}/connect`. */
export type ConnectNetworkBody = v.InferOutput<typeof ConnectNetworkSchema>;

export function decodeConnectNetwork(raw: unknown): ConnectNetworkBody {
  return decode(ConnectNetworkSchema, raw);
}

const DisconnectNetworkSchema = struct({
  Container: v.optional(text, ''),
  Force: v.optional(flag, false),
});

/** The body of `POST /networks/{id}/disconnect`. */
export type DisconnectNetworkBody = v.InferOutput<typeof DisconnectNetworkSchema>;

export function decodeDisconnectNetwork(raw: unknown): DisconnectNetworkBody {
  return decode(DisconnectNetworkSchema, raw);
}
