/** Instructions with their parts told apart. Words are as written: variables are expanded when they are carried out. */
import type { HealthConfig } from '../wire/container-config.ts';
import type { Heredoc } from './source-instruction.ts';
import type { SourceRange } from './source-place.ts';

/** A command: a list to be executed, or a line for the shell. */
export type CommandForm =
  | { readonly form: 'exec'; readonly args: readonly string[] }
  | { readonly form: 'shell'; readonly line: string };

type Pairs = readonly (readonly [name: string, value: string])[];

export interface FromInstruction {
  readonly kind: 'FROM';
  readonly image: string;
  readonly platform: string | undefined;
  /** As written after AS. */
  readonly stageName: string | undefined;
  /** AS as written. */
  readonly asWord: string | undefined;
}

export interface ArgInstruction {
  readonly kind: 'ARG';
  readonly args: readonly { readonly name: string; readonly value: string | undefined }[];
}

export interface RunInstruction {
  readonly kind: 'RUN';
  readonly command: CommandForm;
  readonly heredocs: readonly Heredoc[];
  readonly mounts: readonly string[];
  readonly network: string | undefined;
  readonly security: string | undefined;
  readonly devices: readonly string[];
}

export interface CopyInstruction {
  readonly kind: 'COPY' | 'ADD';
  readonly sources: readonly string[];
  readonly destination: string;
  readonly heredocs: readonly Heredoc[];
  readonly from: string | undefined;
  readonly chown: string | undefined;
  readonly chmod: string | undefined;
  readonly link: boolean;
  readonly parents: boolean;
  readonly excludes: readonly string[];
  /** ADD only. */
  readonly checksum: string | undefined;
  readonly keepGitDir: boolean;
  /** Undefined: archives from the context are unpacked, downloads are not. */
  readonly unpack: boolean | undefined;
}

/** All instructions that stages are made of. */
export type StageInstruction =
  | ArgInstruction
  | RunInstruction
  | CopyInstruction
  | { readonly kind: 'ENV'; readonly pairs: Pairs; readonly isOld: boolean }
  | { readonly kind: 'LABEL'; readonly pairs: Pairs; readonly isOld: boolean }
  | { readonly kind: 'CMD' | 'ENTRYPOINT'; readonly command: CommandForm }
  | { readonly kind: 'SHELL'; readonly args: readonly string[] }
  | { readonly kind: 'EXPOSE'; readonly ports: readonly string[] }
  | { readonly kind: 'VOLUME'; readonly paths: readonly string[] }
  | { readonly kind: 'USER' | 'WORKDIR' | 'STOPSIGNAL'; readonly value: string }
  | { readonly kind: 'MAINTAINER'; readonly value: string }
  | { readonly kind: 'HEALTHCHECK'; readonly check: HealthConfig; readonly isShell: boolean }
  | { readonly kind: 'ONBUILD'; readonly trigger: string };

/** Where an instruction stands, and how it is shown. */
export interface Place {
  readonly range: SourceRange;
  /** The instruction on one line, as written but for its white space. */
  readonly text: string;
  /** Comment lines right before it, without `#`. */
  readonly comments?: readonly string[];
  /** The instruction's name as written. */
  readonly keyword?: string;
  /** An empty line stands among its continued ones. */
  readonly hasEmptyContinuation?: boolean;
  /** It comes from the base image's ONBUILD and does not count as a step. */
  readonly isTrigger?: true;
}

export type Located<T> = T & Place;

export interface Stage {
  readonly index: number;
  /** In lower case; undefined for one without. */
  readonly name: string | undefined;
  readonly from: Located<FromInstruction>;
  readonly instructions: readonly Located<StageInstruction>[];
}

export interface Dockerfile {
  /** ARG before the first FROM. */
  readonly globalArgs: readonly Located<ArgInstruction>[];
  readonly stages: readonly Stage[];
  readonly escapeChar: '\\' | '`';
  readonly check: string | undefined;
}
