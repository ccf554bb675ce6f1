/** What a Dockerfile offers, for `docker build --call=targets` and `--call=outline`. */

import type {
  Dockerfile,
  Located,
  Stage,
  StageInstruction,
} from '../../../dockerfile/instruction.ts';
import { parseDockerfile } from '../../../dockerfile/parse-dockerfile.ts';
import { readSource } from '../../../dockerfile/read-source.ts';
import type { SourceRange } from '../../../dockerfile/source-place.ts';
import { noTarget } from './frontend-errors.ts';

/** A place as clients get it. */
interface Location {
  readonly ranges: readonly {
    readonly start: { readonly line: number };
    readonly end: { readonly line: number };
  }[];
}

export interface Target {
  readonly name?: string;
  readonly default?: true;
  readonly description?: string;
  readonly base: string;
  readonly platform?: string;
  readonly location: Location;
}

/** The stages that can be built; the last is the default. */
export function targetsOf(text: string): readonly Target[] {
  const comments = commentsOf(text);
  const { stages } = parseDockerfile(text);
  return stages.map(({ from, index }) => {
    const { stageName: name, image: base, platform, range } = from;
    const description = describe(comments, range, name);
    return {
      ...(name === undefined ? {} : { name }),
      ...(index === stages.length - 1 ? { default: true } : {}),
      ...(description === undefined ? {} : { description }),
      ...{ base, ...(platform === undefined ? {} : { platform }), location: locationOf(range) },
    };
  });
}

export interface Outline {
  readonly name?: string;
  readonly description?: string;
  readonly args: readonly {
    readonly name: string;
    readonly description?: string;
    readonly value?: string;
    readonly location: Location;
  }[];
  readonly secrets: readonly Mounted[];
  readonly ssh: readonly Mounted[];
  readonly cache: readonly { readonly ID: string; readonly location: Location }[];
}

interface Mounted {
  readonly name: string;
  readonly required?: true;
  readonly location: Location;
}

/** What a target takes: its arguments, secrets, agents and caches, those of stages that it needs included. */
export function outlineOf(
  text: string,
  wanted: { readonly target: string | undefined; readonly buildArgs: ReadonlyMap<string, string> },
): Outline {
  const comments = commentsOf(text);
  const dockerfile = parseDockerfile(text);
  const stages = neededStages(dockerfile, wanted.target);
  const target = stages[0]?.from;
  const name = target?.stageName;
  const description = target && describe(comments, target.range, name);
  const instructions = stages.toReversed().flatMap((stage) => stage.instructions);
  const args = [...dockerfile.globalArgs, ...instructions]
    .flatMap((one) => (one.kind === 'ARG' ? one.args.map((arg) => ({ ...arg, ...one })) : []))
    .map(({ name: argName, value, range }) => {
      const words = describe(comments, range, argName);
      const given = wanted.buildArgs.get(argName) ?? value;
      return {
        name: argName,
        ...(words === undefined ? {} : { description: words }),
        ...(given === undefined ? {} : { value: given }),
        location: locationOf(range),
      };
    });
  const mounts = instructions.flatMap(mountsOf);
  return {
    ...(name === undefined ? {} : { name }),
    ...(description === undefined ? {} : { description }),
    args: [...new Map(args.map((arg) => [arg.name, arg])).values()],
    secrets: mounts.filter(({ type }) => type === 'secret').map(toMounted),
    ssh: mounts.filter(({ type }) => type === 'ssh').map(toMounted),
    cache: mounts
      .filter(({ type }) => type === 'cache')
      .map(({ id, location }) => ({ ID: id, location })),
  };
}

/** The target first, then what it stands on and copies from. */
function neededStages({ stages }: Dockerfile, target: string | undefined): readonly Stage[] {
  const find = (ref: string) =>
    stages.find(({ name, index }) => name === ref.toLowerCase() || String(index) === ref);
  const first = target === undefined ? stages.at(-1) : find(target);
  if (first === undefined) throw noTarget(target ?? '');
  const needed = new Set<Stage>([first]);
  for (const stage of needed) {
    const copied = stage.instructions.flatMap((one) => ('from' in one ? (one.from ?? []) : []));
    for (const ref of [stage.from.image, ...copied]) {
      const found = find(ref);
      if (found !== undefined && found.index < stage.index) needed.add(found);
    }
  }
  return [...needed];
}

interface Mount {
  readonly type: string;
  readonly id: string;
  readonly isRequired: boolean;
  readonly location: Location;
}

function mountsOf(instruction: Located<StageInstruction>): readonly Mount[] {
  if (instruction.kind !== 'RUN') return [];
  return instruction.mounts.map((text) => {
    const fields = new Map(
      text.split(',').map((part) => {
        const [key = '', value = 'true'] = part.split('=', 2);
        return [key.toLowerCase(), value] as const;
      }),
    );
    const type = fields.get('type') ?? 'bind';
    const target = fields.get('target') ?? fields.get('dst') ?? fields.get('destination') ?? '';
    const fallback = type === 'ssh' ? 'default' : (target.split('/').at(-1) ?? '');
    const id = fields.get('id') ?? (type === 'cache' ? target : fallback);
    const isRequired = fields.get('required') === 'true';
    return { type, id, isRequired, location: locationOf(instruction.range) };
  });
}

const toMounted = ({ id, isRequired, location }: Mount): Mounted => ({
  name: id,
  ...(isRequired ? { required: true } : {}),
  location,
});

/** Comments right before instructions, by the line of the instruction. */
function commentsOf(text: string): ReadonlyMap<number, readonly string[]> {
  const { instructions } = readSource(text);
  return new Map(instructions.map(({ range, comments }) => [range.startLine, comments]));
}

/** What a comment says of `name`: it has to begin with that. */
function describe(
  comments: ReadonlyMap<number, readonly string[]>,
  range: SourceRange,
  name: string | undefined,
): string | undefined {
  if (name === undefined) return undefined;
  const lines = (comments.get(range.startLine) ?? []).map((comment) => comment.trim());
  const line = lines.find((one) => one.toLowerCase().startsWith(`${name.toLowerCase()} `));
  return line?.slice(name.length + 1).trim();
}

const locationOf = ({ startLine, endLine }: SourceRange): Location => ({
  ranges: [{ start: { line: startLine }, end: { line: endLine } }],
});
