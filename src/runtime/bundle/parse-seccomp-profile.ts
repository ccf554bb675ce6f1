/** Profiles that clients send: Docker's JSON form (`seccomp=` of `SecurityOpt`), which may hold conditions. */
import * as v from 'valibot';
import { invalidSeccompProfile } from '../runtime-errors.ts';
import type { ConditionalRule, RuleCondition, SeccompProfile } from './seccomp-rules.ts';

const condition = v.object({
  caps: v.nullish(v.array(v.string())),
  arches: v.nullish(v.array(v.string())),
});

const rule = v.object({
  name: v.optional(v.string()),
  names: v.nullish(v.array(v.string())),
  action: v.string(),
  errnoRet: v.nullish(v.number()),
  args: v.nullish(
    v.array(
      v.object({
        index: v.number(),
        value: v.number(),
        valueTwo: v.optional(v.number()),
        op: v.string(),
      }),
    ),
  ),
  includes: v.nullish(condition),
  excludes: v.nullish(condition),
});

const profile = v.object({
  defaultAction: v.string(),
  defaultErrnoRet: v.nullish(v.number()),
  syscalls: v.nullish(v.array(rule)),
});

/** `invalid-argument` with Docker's text when the JSON is none or has not the form of a profile. */
export function parseSeccompProfile(text: string): SeccompProfile {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw invalidSeccompProfile(error instanceof Error ? error.message : String(error));
  }
  const parsed = v.safeParse(profile, json);
  if (!parsed.success) throw invalidSeccompProfile(v.summarize(parsed.issues));
  const { defaultAction, defaultErrnoRet, syscalls } = parsed.output;
  return {
    defaultAction,
    ...(typeof defaultErrnoRet === 'number' ? { defaultErrnoRet } : {}),
    rules: (syscalls ?? []).map(toRule),
  };
}

function toRule(given: v.InferOutput<typeof rule>): ConditionalRule {
  const { name, names, action, errnoRet, args, includes, excludes } = given;
  return {
    names: [...(name === undefined ? [] : [name]), ...(names ?? [])],
    action,
    ...(typeof errnoRet === 'number' ? { errnoRet } : {}),
    ...(args && args.length > 0 ? { args: args.map(toArg) } : {}),
    ...conditionOf('when', includes),
    ...conditionOf('unless', excludes),
  };
}

function toArg({
  index,
  value,
  valueTwo,
  op,
}: {
  index: number;
  value: number;
  valueTwo?: number | undefined;
  op: string;
}) {
  return { index, value, op, ...(valueTwo === undefined ? {} : { valueTwo }) };
}

function conditionOf(
  key: 'when' | 'unless',
  given: v.InferOutput<typeof condition> | null | undefined,
): { when?: RuleCondition; unless?: RuleCondition } {
  const capabilities = given?.caps ?? [];
  const architectures = given?.arches ?? [];
  if (capabilities.length === 0 && architectures.length === 0) return {};
  return {
    [key]: {
      ...(capabilities.length > 0 ? { capabilities } : {}),
      ...(architectures.length > 0 ? { architectures } : {}),
    },
  };
}
