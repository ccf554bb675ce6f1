/** The engine as a program: started by the host inside the machine's namespaces. */
import { composeEngine } from './compose-engine.ts';
import { runEngine } from './run-engine.ts';

process.exit(
  await runEngine({ argv: process.argv.slice(2), environment: process.env }, composeEngine),
);
