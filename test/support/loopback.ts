/** The loopback of the network namespace that a test runs in. */
import { execFileSync } from 'node:child_process';

/** A fresh network namespace has its loopback down; where it is up, this changes nothing. */
export function bringLoopbackUp(): void {
  execFileSync('ip', ['link', 'set', 'lo', 'up']);
}
