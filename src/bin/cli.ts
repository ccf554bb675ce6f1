/** The `wherry` command. Everything heavy is loaded only by the command that needs it. */
import { VERSION } from './version.ts';

const argv = process.argv.slice(2);

if (argv[0] === '--version' || argv[0] === '-v' || argv[0] === 'version') {
  process.stdout.write(`wherry version ${VERSION}\n`);
} else {
  const { startCli } = await import('./start-cli.ts');
  await startCli(argv);
}
