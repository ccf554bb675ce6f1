/**
 * A graph that stands for a result of ours. Clients treat it as opaque: bake hands that of one target back as an input
 * of another.
 */
import { digestOf } from '../../../oci/digest.ts';
import { type Definition, Op } from '../proto/common.ts';
import type { EncodableOf, MessageOf } from '../proto/message.ts';

const SCHEME = 'wherry-result://';

/** One source, and the end of the graph that points to it: the least that clients accept as a graph. */
export function resultDefinition(id: string): EncodableOf<typeof Definition> {
  const source = Op.encode({ source: { identifier: `${SCHEME}${id}` } });
  const digest = digestOf(source);
  const end = Op.encode({ inputs: [{ digest }] });
  return {
    def: [source, end],
    metadata: new Map([
      [digest, new Uint8Array()],
      [digestOf(end), new Uint8Array()],
    ]),
  };
}

/** The id of the result that a graph stands for; undefined for any other graph. */
export function resultIdOf(definition: MessageOf<typeof Definition>): string | undefined {
  return definition.def
    .map((raw) => Op.decode(raw).source?.identifier ?? '')
    .find((identifier) => identifier.startsWith(SCHEME))
    ?.slice(SCHEME.length);
}
