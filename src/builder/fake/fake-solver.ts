/**
 * A solver without layers, for tests of the doors: every line of the Dockerfile is a step. `COPY` brings the context
 * and keeps the names of its files as a label, `SECRET id` and `SSH id` ask the client, `FAIL text` fails, `HANG` goes
 * on until the build is cancelled.
 */
import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BuildWarning } from '../../dockerfile/source-place.ts';
import { digestOf } from '../../oci/digest.ts';
import type { ImageConfig } from '../../oci/image-spec.ts';
import type { Platform } from '../../oci/platform.ts';
import { ZERO_TIME } from '../../shared/clock.ts';
import { EngineError } from '../../shared/errors.ts';
import { randomId } from '../../shared/ids.ts';
import type { BuildProgress } from '../build-progress.ts';
import type {
  BuildRequest,
  BuildResult,
  DockerfileSource,
  LintableBuild,
  Solver,
} from '../solver.ts';

const HOST: Platform = { os: 'linux', architecture: 'amd64' };

interface FakeStep {
  readonly text: string;
  readonly line: number;
}

export class FakeSolver implements Solver {
  /** Requests so far. */
  readonly requests: BuildRequest[] = [];
  /** Results that nobody has released. */
  held = 0;
  /** Builds that hang. */
  hanging = 0;

  async solve(
    request: BuildRequest,
    progress: BuildProgress,
    signal: AbortSignal,
  ): Promise<BuildResult> {
    this.requests.push(request);
    const warnings = this.lint(request);
    for (const warning of warnings) progress.warn(warning);
    const labels = new Map(request.labels);
    const steps = stepsOf(request.dockerfile);
    for (const [index, step] of steps.entries()) {
      const name = `[${index + 1}/${steps.length}] ${step.text}`;
      await this.#run({ request, progress, labels }, { ...step, name }, signal);
    }
    this.held++;
    let isHeld = true;
    const platforms = request.platforms.length === 0 ? [HOST] : request.platforms;
    return {
      images: platforms.map((platform) => ({
        ...{ platform, layers: [], baseLayers: 0, steps: [], materials: [] },
        config: configOf(platform, labels),
      })),
      warnings,
      unusedArgs: [],
      release: () => {
        if (isHeld) this.held--;
        isHeld = false;
      },
    };
  }

  async #run(
    build: {
      readonly request: BuildRequest;
      readonly progress: BuildProgress;
      readonly labels: Map<string, string>;
    },
    step: FakeStep & { readonly name: string },
    signal: AbortSignal,
  ): Promise<void> {
    const { progress } = build;
    const digest = digestOf(step.name);
    const vertex = { digest, name: step.name, inputs: [] };
    const times = { startedAt: ZERO_TIME, at: ZERO_TIME };
    progress.vertex({ kind: 'started', vertex, at: ZERO_TIME });
    try {
      const output =
        step.text === 'HANG' ? await this.#hang(signal) : await carryOut(build, step, signal);
      const data = Buffer.from(`${output}\n`);
      progress.log({ vertex: digest, stream: 'stdout', data, at: ZERO_TIME });
      progress.vertex({ kind: 'completed', vertex, ...times, cached: false });
    } catch (error) {
      progress.vertex({ kind: 'completed', vertex, ...times, cached: false, error: String(error) });
      throw error;
    }
  }

  async #hang(signal: AbortSignal): Promise<string> {
    this.hanging++;
    try {
      signal.throwIfAborted();
      return await new Promise((_, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason), { once: true }),
      );
    } finally {
      this.hanging--;
    }
  }

  lint({ dockerfile: { text } }: LintableBuild): readonly BuildWarning[] {
    return text.split('\n').flatMap((line, index) => {
      if (!line.startsWith('from')) return [];
      const range = { startLine: index + 1, endLine: index + 1 };
      const detail = 'Command from should be upper case';
      return [{ rule: 'ConsistentInstructionCasing', description: '', url: '', detail, range }];
    });
  }
}

function stepsOf({ text }: DockerfileSource): readonly FakeStep[] {
  return text
    .split('\n')
    .flatMap((line, index) => (line.trim() === '' ? [] : [{ text: line, line: index + 1 }]));
}

async function carryOut(
  { request, labels }: { readonly request: BuildRequest; readonly labels: Map<string, string> },
  { text, line }: FakeStep,
  signal: AbortSignal,
): Promise<string> {
  const [word, argument = ''] = text.split(' ', 2);
  switch (word) {
    case 'COPY': {
      const context = await request.context.open({ include: undefined, exclude: [] }, signal);
      const names = await readdir(context.dir, { recursive: true });
      await context.release();
      labels.set('files', names.toSorted().join(' '));
      return `${context.transferredBytes} bytes`;
    }
    case 'SECRET': {
      const secret = await request.secrets(argument, signal);
      return secret === undefined ? 'no secret' : `secret of ${secret.length} bytes`;
    }
    case 'SSH':
      return await identitiesOf(request, argument, signal);
    case 'FAIL':
      throw new EngineError('invalid-argument', text, {
        details: { startLine: String(line), endLine: String(line) },
      });
    default:
      return `did ${text}`;
  }
}

/** Asks the client's agent for its keys; the answer as hexadecimal digits. */
async function identitiesOf(
  request: BuildRequest,
  id: string,
  signal: AbortSignal,
): Promise<string> {
  const path = join(tmpdir(), `wherry-agent-${randomId()}`);
  const agent = await request.ssh(id, path, signal);
  if (agent === undefined) return 'no agent';
  try {
    const socket = connect(path);
    // SSH_AGENTC_REQUEST_IDENTITIES of the agent protocol.
    socket.write(Buffer.from([0, 0, 0, 1, 11]));
    let answer = Buffer.alloc(0);
    for await (const part of socket) {
      answer = Buffer.concat([answer, part as Buffer]);
      if (answer.length >= 4 && answer.length === 4 + answer.readUInt32BE(0)) break;
    }
    return `agent says ${answer.toString('hex')}`;
  } finally {
    await agent.close();
  }
}

function configOf(platform: Platform, labels: ReadonlyMap<string, string>): ImageConfig {
  return {
    ...platform,
    config: { Labels: Object.fromEntries(labels) },
    rootfs: { type: 'layers', diff_ids: [] },
    history: [],
  };
}
