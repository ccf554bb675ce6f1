/** chainIDs: names for stacks of layers (OCI image-spec, config.md, "Layer ChainID"). */
import { type Digest, digestOf } from './digest.ts';

/** The chainID of every prefix of the stack, bottom first. */
export function chainIds(diffIds: readonly Digest[]): readonly Digest[] {
  const chain: Digest[] = [];
  for (const diffId of diffIds) {
    const below = chain.at(-1);
    chain.push(below === undefined ? diffId : digestOf(`${below} ${diffId}`));
  }
  return chain;
}
