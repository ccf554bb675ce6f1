/** Places in a Dockerfile, as clients get them to print the lines around a mistake. */

import type { SourceRange } from '../../../dockerfile/source-place.ts';
import { findEngineError } from '../../../shared/errors.ts';
import type { DockerfileSource } from '../../solver.ts';
import { GRPC_CODE, StatusError, statusOf } from '../grpc/grpc-errors.ts';
import type { SourceInfo, SourceRange as SourceRangeMessage } from '../proto/common.ts';
import type { EncodableOf } from '../proto/message.ts';

/** The file, with its text: clients have no other copy of what was built. */
export const sourceInfo = ({ name, text }: DockerfileSource): EncodableOf<typeof SourceInfo> => ({
  filename: name,
  data: Buffer.from(text),
  language: 'Dockerfile',
});

export const sourceRange = ({
  startLine,
  endLine,
}: SourceRange): EncodableOf<typeof SourceRangeMessage> => ({
  start: { line: startLine },
  end: { line: endLine },
});

/** Details are JSON of Go's structures, under the name of their type. */
const SOURCE_TYPE = 'github.com/moby/buildkit/errdefs.Source+json';

/** Where in the Dockerfile `error` happened, if it says so. */
function placeOfError(error: unknown): SourceRange | undefined {
  const { startLine, endLine } = findEngineError(error)?.details ?? {};
  if (startLine === undefined || endLine === undefined) return undefined;
  return { startLine: Number(startLine), endLine: Number(endLine) };
}

/** The same error for the client, with the lines of the Dockerfile that it is about. */
export function withSource(error: unknown, dockerfile: DockerfileSource): unknown {
  const place = placeOfError(error);
  if (place === undefined) return error;
  const status = statusOf(error);
  const { startLine, endLine } = place;
  const detail = {
    info: {
      filename: dockerfile.name,
      data: Buffer.from(dockerfile.text).toString('base64'),
      language: 'Dockerfile',
    },
    ranges: [{ start: { line: startLine }, end: { line: endLine } }],
  };
  const value = Buffer.from(JSON.stringify(detail));
  return new StatusError(
    {
      code: status.code === GRPC_CODE.cancelled ? status.code : GRPC_CODE.unknown,
      message: status.message,
      details: [...status.details, { typeUrl: SOURCE_TYPE, value }],
    },
    error,
  );
}
