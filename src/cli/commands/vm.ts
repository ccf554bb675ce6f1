/** `wherry vm`: the image of the virtual machine. */
import { parseArgs } from 'node:util';
import { defineCommand } from 'citty';
import type { BuildImageOptions, PullImageOptions, VmImageReport } from '../../host/vm-control.ts';
import { badUsage } from '../cli-errors.ts';
import type { CommandContext } from '../command-context.ts';
import { vmLifeCommands } from './vm-life.ts';

const BUILD_FLAGS = {
  arch: { type: 'string' },
  output: { type: 'string' },
  recipe: { type: 'string' },
  archive: { type: 'string' },
  'npm-registry': { type: 'string' },
  wsl: { type: 'boolean' },
  packed: { type: 'boolean' },
  json: { type: 'boolean' },
} as const;

const PULL_FLAGS = {
  sha256: { type: 'string' },
  output: { type: 'string' },
  json: { type: 'boolean' },
} as const;

const BYTES_PER_MB = 1_000_000;

/** The subcommands, each with its own flags. */
export function vmCommand(context: CommandContext) {
  return defineCommand({
    meta: { name: 'vm', description: 'The virtual machine and its image' },
    subCommands: {
      ...vmLifeCommands(context),
      'build-image': buildImageCommand(context),
      'pull-image': pullImageCommand(context),
    },
  });
}

function buildImageCommand(context: CommandContext) {
  return defineCommand({
    meta: {
      name: 'build-image',
      description:
        'Build the image from pinned packages: [--arch amd64|arm64] [--output DIR] [--recipe DIR] ' +
        '[--archive URL] [--npm-registry URL] [--wsl] [--packed] [--json]',
    },
    run: async ({ rawArgs }) => {
      const { values } = flagsOf(() => parseArgs({ args: rawArgs, options: BUILD_FLAGS }));
      const options: BuildImageOptions = {
        withTar: values.wsl === true,
        withPacked: values.packed === true,
        ...(values.arch === undefined ? {} : { architecture: values.arch }),
        ...(values.output === undefined ? {} : { outputDir: values.output }),
        ...(values.recipe === undefined ? {} : { recipeDir: values.recipe }),
        ...(values.archive === undefined ? {} : { archive: values.archive }),
        ...(values['npm-registry'] === undefined ? {} : { npmRegistry: values['npm-registry'] }),
      };
      const report = await (await context.vmControl()).buildImage(options, context.tell);
      context.print(values.json === true ? JSON.stringify(report) : describeImage(report));
    },
  });
}

function pullImageCommand(context: CommandContext) {
  return defineCommand({
    meta: {
      name: 'pull-image',
      description: 'Take a published image: URL [--sha256 HEX] [--output DIR] [--json]',
    },
    run: async ({ rawArgs }) => {
      const { values, positionals } = flagsOf(() =>
        parseArgs({ args: rawArgs, options: PULL_FLAGS, allowPositionals: true }),
      );
      const [url] = positionals;
      if (url === undefined || positionals.length > 1) throw badUsage('name one URL of an image');
      const options: PullImageOptions = {
        url,
        ...(values.sha256 === undefined ? {} : { sha256: values.sha256 }),
        ...(values.output === undefined ? {} : { outputDir: values.output }),
      };
      const report = await (await context.vmControl()).pullImage(options, context.tell);
      context.print(values.json === true ? JSON.stringify(report) : describeImage(report));
    },
  });
}

/** The image as text. */
export function describeImage({ dir, architecture, kernel, files }: VmImageReport): string {
  const rows = files.map(({ name, size, sha256 }) => {
    const megabytes = (size / BYTES_PER_MB).toFixed(1).padStart(6);
    return `  ${name.padEnd(10)} ${megabytes} MB  sha256:${sha256}`;
  });
  return [`${dir}: Linux ${kernel} for ${architecture}`, ...rows].join('\n');
}

/** Node's parser throws its own errors. */
function flagsOf<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw badUsage(error instanceof Error ? error.message : String(error));
  }
}
