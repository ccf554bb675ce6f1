/** The `wherry` command. Everything heavy is loaded only by the command that needs it. */
import { VERSION } from './version.ts';

const argv = process.argv.slice(2);

if (argv[0] === '--version' || argv[0] === '-v' || argv[0] === 'version') {
  process.stdout.write(`wherry version ${VERSION}\n`);
} else if (argv[0] === 'daemon' && !argv.includes('--help') && !argv.includes('-h')) {
  // The daemon's start is waited for: it does without the tree of commands.
  const { startHost } = await import('./start-host.ts');
  await startHost(argv.slice(1));
} else {
  const { startCli } = await import('./start-cli.ts');
  await startCli(argv);
}
