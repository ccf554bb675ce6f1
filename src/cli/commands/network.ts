/** `wherry network graph`: who talks to whom. */
import { defineCommand } from 'citty';
import type { GraphMember, GraphNetwork } from '../../host/machine.ts';
import { splitReportArguments } from '../args/report-arguments.ts';
import { badUsage } from '../cli-errors.ts';
import type { CommandContext } from '../command-context.ts';

/** Prints every network with the running containers on it. */
export function networkCommand(context: CommandContext) {
  return defineCommand({
    meta: { name: 'network', description: 'Show which containers reach each other: graph' },
    run: async ({ rawArgs }) => {
      const [action = '', ...rest] = rawArgs;
      if (action !== 'graph') throw badUsage(`unknown action ${action}: use graph`);
      const { daemon, own } = splitReportArguments(rest, ['json']);
      const networks = await (await context.control()).networkGraph(daemon);
      context.print(own.has('json') ? JSON.stringify(networks) : describeGraph(networks));
    },
  });
}

/** The graph as text: a paragraph for each network, a line for each member. */
export function describeGraph(networks: readonly GraphNetwork[]): string {
  return networks.map((network) => [headOf(network), ...linesOf(network)].join('\n')).join('\n\n');
}

function headOf({ name, driver, internal, subnets }: GraphNetwork): string {
  return `${name} (${[driver, ...(internal ? ['internal'] : []), ...subnets].join(', ')})`;
}

function linesOf({ members }: GraphNetwork): readonly string[] {
  if (members.length === 0) return ['  nobody'];
  const width = Math.max(...members.map(({ container }) => container.length));
  return members.map((member) => `  ${member.container.padEnd(width)}${detailsOf(member)}`);
}

function detailsOf({ addresses, names, alsoOn, sharedBy, published }: GraphMember): string {
  const parts: readonly (readonly [string, readonly string[]])[] = [
    ['', addresses],
    ['also called ', names],
    ['also on ', alsoOn],
    ['shared by ', sharedBy],
    ['published as ', published],
  ];
  return parts
    .filter(([, words]) => words.length > 0)
    .map(([label, words]) => `  ${label}${words.join(', ')}`)
    .join(';');
}
