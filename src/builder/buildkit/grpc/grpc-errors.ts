/** gRPC's statuses: how they travel in trailers, and what they are among our kinds of errors. */
import { EngineError, type ErrorKind, findEngineError, messageOf } from '../../../shared/errors.ts';
import { RpcStatus } from '../proto/common.ts';

/** https://grpc.io/docs/guides/status-codes, those that occur here. */
export const GRPC_CODE = {
  ok: 0,
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  failedPrecondition: 9,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const;

/** A fact that goes with an error; `value` is what its type's URL says. */
export interface ErrorDetail {
  readonly typeUrl: string;
  readonly value: Uint8Array;
}

/** The end of a call as it is sent. */
export interface GrpcStatus {
  readonly code: number;
  readonly message: string;
  readonly details: readonly ErrorDetail[];
}

/**
 * Most errors of a build are `unknown`, as with BuildKit: its client puts the name of every other code in front of
 * the message.
 */
const CODES: Readonly<Partial<Record<ErrorKind, number>>> = {
  cancelled: GRPC_CODE.cancelled,
  deadline: GRPC_CODE.deadlineExceeded,
  'not-implemented': GRPC_CODE.unimplemented,
  unavailable: GRPC_CODE.unavailable,
};

const KINDS: Readonly<Record<number, ErrorKind>> = {
  [GRPC_CODE.cancelled]: 'cancelled',
  [GRPC_CODE.invalidArgument]: 'invalid-argument',
  [GRPC_CODE.deadlineExceeded]: 'deadline',
  [GRPC_CODE.notFound]: 'not-found',
  [GRPC_CODE.alreadyExists]: 'conflict',
  [GRPC_CODE.permissionDenied]: 'forbidden',
  [GRPC_CODE.unimplemented]: 'not-implemented',
  [GRPC_CODE.unavailable]: 'unavailable',
  [GRPC_CODE.unauthenticated]: 'unauthorized',
};

/** An error that says itself what the other side gets to see, details included. */
export class StatusError extends EngineError {
  readonly status: GrpcStatus;

  constructor(status: GrpcStatus, cause?: unknown) {
    super(KINDS[status.code] ?? 'internal', status.message, { cause });
    this.status = status;
  }
}

/** What the other side gets to see of `error`. */
export function statusOf(error: unknown): GrpcStatus {
  if (error instanceof StatusError) return error.status;
  const kind = findEngineError(error)?.kind;
  const code = kind === undefined ? GRPC_CODE.unknown : (CODES[kind] ?? GRPC_CODE.unknown);
  return { code, message: messageOf(error), details: [] };
}

const DETAILS_HEADER = 'grpc-status-details-bin';

/** The trailers that end a call. */
export function statusTrailers({ code, message, details }: GrpcStatus): Record<string, string> {
  const trailers: Record<string, string> = { 'grpc-status': String(code) };
  if (message !== '') trailers['grpc-message'] = percentEncode(message);
  if (details.length > 0) {
    const bytes = RpcStatus.encode({ code, message, details });
    trailers[DETAILS_HEADER] = Buffer.from(bytes).toString('base64').replace(/=+$/, '');
  }
  return trailers;
}

/** How a call ended, from its trailers; undefined when they do not say. */
export function readStatus(headers: {
  readonly [name: string]: string | string[] | number | undefined;
}): GrpcStatus | undefined {
  const code = headers['grpc-status'];
  if (code === undefined) return undefined;
  const details = headers[DETAILS_HEADER];
  return {
    code: Number(code),
    message: percentDecode(String(headers['grpc-message'] ?? '')),
    details:
      details === undefined ? [] : RpcStatus.decode(Buffer.from(String(details), 'base64')).details,
  };
}

/** Everything but printable ASCII, and the percent sign, byte by byte. */
function percentEncode(text: string): string {
  return [...Buffer.from(text)]
    .map((byte) =>
      byte < 0x20 || byte > 0x7e || byte === 0x25
        ? `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
        : String.fromCharCode(byte),
    )
    .join('');
}

function percentDecode(text: string): string {
  const bytes = text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, 'latin1').toString();
}

/** A method that is not served. */
export const unknownMethod = (path: string) =>
  new StatusError({
    code: GRPC_CODE.unimplemented,
    message: `unknown method ${path}`,
    details: [],
  });

/** The other side reset the call, or its connection is gone. */
export const callBroken = (cause?: unknown) =>
  new EngineError('cancelled', 'context canceled', { cause });

/** The connection ended before the call did. */
export const connectionLost = () =>
  new EngineError('unavailable', 'the connection of the client was lost');

/** A call that must answer with one message ended with none. */
export const noAnswer = (path: string) =>
  new EngineError('internal', `${path} ended without an answer`);

export const truncatedMessage = () => new EngineError('invalid-argument', 'truncated gRPC message');

export const messageTooLarge = (size: number, limit: number) =>
  new EngineError('invalid-argument', `gRPC message of ${size} bytes is larger than ${limit}`);

export const unsupportedCompression = () =>
  new EngineError('not-implemented', 'compressed gRPC messages are not supported');
