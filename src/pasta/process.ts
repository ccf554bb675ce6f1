/** Start of one pasta process. It outlives us: once it has set up the network it goes on in the background. */
import { readFile, rm } from 'node:fs/promises';
import { messageOf } from '../shared/errors.ts';
import { run } from '../sys/exec/run.ts';
import type { PastaFeatures } from './features.ts';
import { type PastaOptions, pastaArguments } from './options.ts';
import { pastaStartFailed } from './pasta-errors.ts';

/** How to start the helper. */
export interface PastaStart {
  /** Absolute path of the binary. */
  readonly file: string;
  readonly features: PastaFeatures;
  readonly options: PastaOptions;
  readonly startTimeoutMs: number;
}

/**
 * Resolves to the helper's process id when the interface inside is configured. `unavailable` with what it printed
 * when it cannot be; then nothing of it is left. The process that we start ends once the one that stays is ready.
 */
export async function startPasta(start: PastaStart): Promise<number> {
  const { file, options } = start;
  const args = pastaArguments(options, start.features);
  await rm(options.pidPath, { force: true });
  const { exitCode, stderr } = await run({ file, args }, { timeoutMs: start.startTimeoutMs }).catch(
    (error: unknown) => {
      throw pastaStartFailed(messageOf(error), error);
    },
  );
  if (exitCode !== 0) {
    const said = [stderr, await textOf(options.logPath)].flatMap(withoutNoise).join('; ');
    throw pastaStartFailed(said === '' ? `exit code ${exitCode}` : said);
  }
  const pid = Number(await textOf(options.pidPath));
  await rm(options.pidPath, { force: true });
  if (Number.isInteger(pid) && pid > 0) return pid;
  throw pastaStartFailed('it did not tell its process id');
}

async function textOf(path: string): Promise<string> {
  return await readFile(path, 'utf8').catch(() => '');
}

/** It complains of every line that a machine without a system log does not take. */
function withoutNoise(text: string): readonly string[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('Failed to send'));
}
