/**
 * Messages on the host's socket. The first message of a connection says who calls: the engine, or an operator
 * (a `wherry` command). Unknown fields are ignored, unknown types are errors.
 */
import * as v from 'valibot';
import { badMessage } from './handshake-errors.ts';
import { hostFactsSchema } from './host-facts.ts';
import { machineReportSchema } from './machine-report.ts';

/** Version of this protocol. The host replaces an engine that speaks another one. */
export const PROTOCOL = 1;

/** A listening socket as host and engine name it. */
export const listenerSchema = v.object({
  listenerId: v.string(),
  protocol: v.picklist(['tcp', 'udp', 'api']),
  /** A literal address; empty for the API's sockets. */
  hostIp: v.string(),
  hostPort: v.number(),
});

/** What the engine may ask of the host. `token` names the connection on the handle socket that carries the descriptor. */
export const hostRequestSchema = v.variant('op', [
  v.object({
    op: v.literal('open-listener'),
    protocol: v.picklist(['tcp', 'udp']),
    hostIp: v.string(),
    hostPort: v.number(),
    token: v.string(),
  }),
  v.object({ op: v.literal('take-listener'), listenerId: v.string(), token: v.string() }),
  v.object({ op: v.literal('close-listener'), listenerId: v.string() }),
  v.object({ op: v.literal('list-listeners') }),
  v.object({
    op: v.literal('open-connection'),
    host: v.string(),
    port: v.number(),
    token: v.string(),
  }),
  /** What the user's docker configuration has for a registry. The answer carries a secret: it is never logged. */
  v.object({ op: v.literal('find-credentials'), domain: v.string() }),
]);

const credentialsSchema = v.object({
  username: v.string(),
  password: v.string(),
  serverAddress: v.string(),
  identityToken: v.string(),
  registryToken: v.string(),
});

/** Errors keep their kind across the border. */
export const refusalSchema = v.object({
  kind: v.picklist([
    'invalid-argument',
    'unauthorized',
    'forbidden',
    'not-found',
    'conflict',
    'not-implemented',
    'unavailable',
    'cancelled',
    'deadline',
    'corrupt',
    'internal',
  ]),
  message: v.string(),
  /** Name of a system error, e.g. `EADDRINUSE`. */
  code: v.optional(v.string()),
});

/** Engine to host. */
export const engineMessageSchema = v.variant('type', [
  v.object({
    type: v.literal('engine-hello'),
    pid: v.number(),
    version: v.string(),
    protocol: v.number(),
    /** Listeners whose descriptors this engine holds, so that a new host can get them back. */
    listeners: v.array(listenerSchema),
  }),
  v.object({ type: v.literal('engine-ready'), warnings: v.optional(v.array(v.string()), []) }),
  v.object({ type: v.literal('request'), id: v.number(), request: hostRequestSchema }),
  /** The descriptor of a listener was sent under `token`, or cannot be. */
  v.object({ type: v.literal('listener-returned'), listenerId: v.string(), token: v.string() }),
  v.object({ type: v.literal('listener-missing'), listenerId: v.string() }),
]);

/** Host to engine. */
export const hostMessageSchema = v.variant('type', [
  v.object({ type: v.literal('host-facts'), facts: hostFactsSchema }),
  v.object({
    type: v.literal('granted'),
    id: v.number(),
    listeners: v.array(listenerSchema),
    credentials: v.optional(credentialsSchema),
  }),
  v.object({ type: v.literal('refused'), id: v.number(), refusal: refusalSchema }),
  v.object({ type: v.literal('return-listener'), listenerId: v.string(), token: v.string() }),
  v.object({
    type: v.literal('shutdown'),
    /**
     * `stop` ends the containers, `machine-lost` because what holds their namespaces has gone; `handover` leaves them
     * to the next engine.
     */
    reason: v.picklist(['stop', 'machine-lost', 'handover']),
  }),
]);

/** Operator to host. */
export const operatorMessageSchema = v.variant('type', [
  v.object({ type: v.literal('operator-status'), protocol: v.number() }),
  v.object({ type: v.literal('operator-stop'), protocol: v.number() }),
]);

/** Host to operator. After `operator-stop` the connection stays open until the host has ended. */
export const operatorAnswerSchema = v.variant('type', [
  v.object({ type: v.literal('machine-report'), report: machineReportSchema }),
  v.object({ type: v.literal('stopping') }),
]);

export type ListenerName = v.InferOutput<typeof listenerSchema>;
export type HostRequest = v.InferOutput<typeof hostRequestSchema>;
/** What a granted request brings: listeners (none for a closed one or a connection), or credentials. */
export type Grant = Pick<Extract<HostMessage, { type: 'granted' }>, 'listeners' | 'credentials'>;
export type Refusal = v.InferOutput<typeof refusalSchema>;
export type EngineMessage = v.InferOutput<typeof engineMessageSchema>;
export type HostMessage = v.InferOutput<typeof hostMessageSchema>;
export type OperatorMessage = v.InferOutput<typeof operatorMessageSchema>;
export type OperatorAnswer = v.InferOutput<typeof operatorAnswerSchema>;
export type ShutdownReason = Extract<HostMessage, { type: 'shutdown' }>['reason'];

/** Decodes the first message of a connection to the host. `corrupt` when it is neither kind of caller. */
export function decodeCaller(raw: unknown): EngineMessage | OperatorMessage {
  const operator = v.safeParse(operatorMessageSchema, raw);
  return operator.success ? operator.output : decodeEngineMessage(raw);
}

/** Decodes a message of the engine; `corrupt` when it is none. */
export function decodeEngineMessage(raw: unknown): EngineMessage {
  return decode(engineMessageSchema, raw);
}

/** Decodes a message of the host to the engine; `corrupt` when it is none. */
export function decodeHostMessage(raw: unknown): HostMessage {
  return decode(hostMessageSchema, raw);
}

/** Decodes an answer of the host to an operator; `corrupt` when it is none. */
export function decodeOperatorAnswer(raw: unknown): OperatorAnswer {
  return decode(operatorAnswerSchema, raw);
}

function decode<Schema extends v.GenericSchema>(
  schema: Schema,
  raw: unknown,
): v.InferOutput<Schema> {
  const result = v.safeParse(schema, raw);
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw badMessage(`${v.getDotPath(issue) ?? 'message'}: ${issue.message}`);
}
