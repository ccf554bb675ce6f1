/** The engine's own id for `docker info`: made once, kept with the data. */
import { randomUUID } from 'node:crypto';
import * as v from 'valibot';
import { Document } from '../state/document.ts';
import type { DataPaths } from '../sys/paths.ts';

const schema = v.object({ v: v.literal(1), id: v.string() });

/** The id of this data directory's engine. */
export async function engineId(paths: DataPaths): Promise<string> {
  const document = await Document.open({
    path: paths.engineIdFile,
    decode: (raw) => v.parse(schema, raw),
    initial: { v: 1, id: '' },
  });
  if (document.value.id !== '') return document.value.id;
  return (await document.update(() => ({ v: 1, id: randomUUID() }))).id;
}
