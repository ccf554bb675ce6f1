import { spawnPortable } from '../../src/sys/exec/spawn-portable.ts';
import { spawnPosix } from '../../src/sys/exec/spawn-posix.ts';
import { testProcessSpawnerContract } from '../contract/process-spawner.ts';

testProcessSpawnerContract('spawnPosix', () => spawnPosix);
testProcessSpawnerContract('spawnPortable', () => spawnPortable);
