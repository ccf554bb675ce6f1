/** Stands in for the solver, which is not there yet: says so to whoever builds. */
import type { BuildCache } from '../builder/build-cache.ts';
import type { BuildImages } from '../builder/build-images.ts';
import type { Solver } from '../builder/solver.ts';
import { buildsNotThere } from './bin-errors.ts';

const refuse = () => Promise.reject(buildsNotThere());

export const absentSolver: Solver = { solve: refuse, lint: () => [] };
export const absentImages: BuildImages = { resolve: refuse, store: refuse, hold: refuse };
export const absentReceive = refuse;
export const emptyCache: BuildCache = {
  list: async () => [],
  prune: async () => ({ ids: [], reclaimedBytes: 0 }),
};
