/** chainIDs: names for stacks of layers (OCI image-spec, config.md, "Layer ChainID"). */
import { type Digest, digestOf } from './digest.ts';

/** The chainID of a layer on top of another stack, or of none. */
export function chainIdOn(below: Digest | undefined, diffId: Digest): Digest {
  return below === undefined ? diffId : digestOf(`${below} ${diffId}`);
}

/** The chainID of every prefix of the stack, bottom first. */
export function chainIds(diffIds: readonly Digest[]): readonly Digest[] {
  const chain: Digest[] = [];
  for (const diffId of diffIds) {
    chain.push(chainIdOn(chain.at(-1), diffId));
  }
  return chain;
}
