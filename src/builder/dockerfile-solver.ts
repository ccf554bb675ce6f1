/** The solver: parses, plans, runs the needed stages side by side, and gives back what they made. */

import type { Dockerfile } from '../dockerfile/instruction.ts';
import { failOnWarnings, type LintRequest, lintDockerfile } from '../dockerfile/lint.ts';
import { parseDockerfile } from '../dockerfile/parse-dockerfile.ts';
import type { BuildWarning } from '../dockerfile/source-place.ts';
import { formatPlatform, type Platform } from '../oci/platform.ts';
import { CleanupStack } from '../shared/cleanup-stack.ts';
import type { BuildProgress } from './build-progress.ts';
import type { BuilderDeps } from './builder-deps.ts';
import type { CacheMounts } from './cache/cache-mounts.ts';
import { importCaches } from './graph/import-caches.ts';
import { openRun, type RunParts } from './graph/open-run.ts';
import { withEpoch } from './graph/source-date.ts';
import { toImageConfig } from './graph/stage-state.ts';
import { PROXY_ARGS } from './graph/variables.ts';
import { ignoreLines, PathPatterns } from './patterns/path-patterns.ts';
import type { BuildRequest, BuildResult, BuiltImage, LintableBuild, Solver } from './solver.ts';
import { FileDigests } from './steps/digest-selection.ts';

/** Proxies and the time of the sources count without being declared. */
const UNDECLARED = [...PROXY_ARGS, 'SOURCE_DATE_EPOCH'];

function unusedArgs({ stages, globalArgs }: Dockerfile, request: BuildRequest): readonly string[] {
  const all = [...globalArgs, ...stages.flatMap(({ instructions }) => instructions)];
  const declared = all.flatMap((one) =>
    one.kind === 'ARG' ? one.args.map(({ name }) => name) : [],
  );
  const known = new Set([...declared, ...UNDECLARED]);
  return [...request.buildArgs.keys()].filter((name) => !known.has(name)).sort();
}

function lintRequestOf(build: Omit<LintableBuild, 'dockerfile'>): LintRequest {
  const ignored = new PathPatterns(ignoreLines(build.dockerignore));
  return { check: build.check, isIgnored: (path) => ignored.leavesOut(path) };
}

export class DockerfileSolver implements Solver {
  readonly #deps: BuilderDeps;
  readonly #cacheMounts: CacheMounts;
  readonly #digests = new FileDigests();

  constructor(deps: BuilderDeps, cacheMounts: CacheMounts) {
    this.#deps = deps;
    this.#cacheMounts = cacheMounts;
  }

  async solve(
    request: BuildRequest,
    progress: BuildProgress,
    signal: AbortSignal,
  ): Promise<BuildResult> {
    const dockerfile = parseDockerfile(request.dockerfile.text);
    const lint = lintRequestOf(request);
    const warnings = lintDockerfile(dockerfile, lint);
    for (const warning of warnings) progress.warn(warning);
    failOnWarnings(dockerfile, warnings, lint);
    const releases: (() => void)[] = [];
    const release = () => {
      for (const one of releases.splice(0)) one();
    };
    // The first failure ends the rest.
    const failing = new AbortController();
    const parts: Omit<RunParts, 'caches'> = {
      deps: this.#deps,
      cacheMounts: this.#cacheMounts,
      digests: this.#digests,
      ...{ request, dockerfile, progress },
      signal: AbortSignal.any([signal, failing.signal]),
      hold: (one) => releases.push(one),
    };
    try {
      const caches = await importCaches(this.#deps, { request, progress }, parts.signal);
      const platforms = request.platforms.length === 0 ? [this.#deps.platform] : request.platforms;
      const images: BuiltImage[] = [];
      for (const platform of platforms)
        images.push(await this.#build({ ...parts, caches }, platform, failing));
      return { images, warnings, unusedArgs: unusedArgs(dockerfile, request), release };
    } catch (error) {
      release();
      throw signal.aborted ? signal.reason : error;
    }
  }

  lint({ dockerfile, ...request }: LintableBuild): readonly BuildWarning[] {
    return lintDockerfile(parseDockerfile(dockerfile.text), lintRequestOf(request));
  }

  async #build(parts: RunParts, platform: Platform, failing: AbortController): Promise<BuiltImage> {
    await using undo = new CleanupStack((error) =>
      this.#deps.logger.warn('the rest of a build could not be removed', {
        error,
        platform: formatPlatform(platform),
      }),
    );
    const { run, steps, materials, finish } = openRun(parts, platform, undo);
    try {
      // Needed stages begin at once; each waits for those that it needs.
      const stages = run.plan.needed.map(({ stage }) => run.stage(stage.index));
      await Promise.all(stages);
      const state = await run.stage(run.plan.target);
      await finish();
      const config = toImageConfig(state, run.request.labels);
      return {
        platform: state.platform,
        config: withEpoch(config, {
          epoch: run.request.sourceDateEpoch,
          baseHistory: state.baseHistory,
        }),
        layers: state.layers,
        baseLayers: state.baseLayers,
        steps,
        materials,
      };
    } catch (error) {
      failing.abort(error);
      // Nothing of the build goes on once its failure is told.
      await Promise.allSettled(run.plan.needed.map(({ stage }) => run.stage(stage.index)));
      throw error;
    }
  }
}
