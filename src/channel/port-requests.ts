/**
 * Published ports and connections across the border of the virtual machine. The guest's daemon asks with a line of JSON and
 * gets one back; whatever follows are the bytes of the connection.
 */
import * as v from 'valibot';
import { badRequest } from './channel-errors.ts';

/** Where listeners for published ports are bound in the guest; nothing else is there. */
export const DOOR = { ipv4: '198.18.0.1', ipv6: 'fd77:6865:7272:79::1' } as const;

const protocolSchema = v.picklist(['tcp', 'udp']);

/** Guest to host. The port is published as long as the stream is open. */
const outerRequestSchema = v.variant('op', [
  v.object({
    op: v.literal('publish'),
    protocol: protocolSchema,
    hostIp: v.string(),
    /** 0 for any that is free. */
    hostPort: v.number(),
    /** The port at `DOOR`, of the same family as `hostIp`. */
    guestPort: v.number(),
  }),
  v.object({ op: v.literal('connect'), host: v.string(), port: v.number() }),
]);

/** The host's answer: `code` is that of a system error, and absent when all is well. */
const outerAnswerSchema = v.object({
  hostPort: v.optional(v.number()),
  code: v.optional(v.string()),
});

/** Host to guest: a client of a published port. */
const clientSchema = v.object({
  protocol: protocolSchema,
  isIpv6: v.boolean(),
  guestPort: v.number(),
  client: v.object({ address: v.string(), port: v.number() }),
});

export type OuterRequest = v.InferOutput<typeof outerRequestSchema>;
export type PublishRequest = Extract<OuterRequest, { op: 'publish' }>;
export type OuterAnswer = v.InferOutput<typeof outerAnswerSchema>;
export type PortClient = v.InferOutput<typeof clientSchema>;

export const decodeOuterRequest = (text: string): OuterRequest => decode(outerRequestSchema, text);
export const decodeOuterAnswer = (text: string): OuterAnswer => decode(outerAnswerSchema, text);
export const decodePortClient = (text: string): PortClient => decode(clientSchema, text);

/** `corrupt` when the text is none of its kind. */
function decode<Schema extends v.GenericSchema>(
  schema: Schema,
  text: string,
): v.InferOutput<Schema> {
  try {
    return v.parse(schema, JSON.parse(text));
  } catch (error) {
    throw badRequest(text, error);
  }
}
