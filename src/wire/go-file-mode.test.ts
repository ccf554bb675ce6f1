import assert from 'node:assert/strict';
import { it } from 'node:test';
import { goFileMode } from './go-file-mode.ts';

it("modes have Go's bits", () => {
  const cases: [number, number][] = [
    [0o100644, 0o644],
    [0o040755, 2147484141],
    [0o041777, 2147484159 + 2 ** 20],
    [0o120777, 134218239],
    [0o104755, 0o755 + 2 ** 23],
    [0o102755, 0o755 + 2 ** 22],
    [0o020666, 0o666 + 2 ** 26 + 2 ** 21],
    [0o060660, 0o660 + 2 ** 26],
    [0o010600, 0o600 + 2 ** 25],
    [0o140777, 0o777 + 2 ** 24],
  ];
  for (const [kernel, go] of cases) assert.equal(goFileMode(kernel), go, kernel.toString(8));
});
