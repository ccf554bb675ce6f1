import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import { drained, OutputCollector } from './output-collector.ts';

function collect(maxBytes: number) {
  const stream = new PassThrough();
  return { stream, collector: new OutputCollector(stream, maxBytes) };
}

describe('OutputCollector', () => {
  it('keeps everything up to the cap', async () => {
    const { stream, collector } = collect(10);
    stream.end('0123456789');
    await drained([collector]);
    assert.equal(collector.text(), '0123456789');
    assert.equal(collector.truncated, false);
  });

  it('drops the middle of longer output and says how much', async () => {
    const { stream, collector } = collect(8);
    for (const piece of ['abcd', 'x'.repeat(100), 'y'.repeat(50), 'wxyz']) stream.write(piece);
    stream.end();
    await drained([collector]);
    assert.equal(collector.truncated, true);
    assert.match(collector.text(), /^abcd\n\[150 bytes left out\]\nwxyz$/);
  });

  it('does not tear a character that arrives in two pieces', async () => {
    const { stream, collector } = collect(100);
    const bytes = Buffer.from('é');
    stream.write(bytes.subarray(0, 1));
    stream.end(bytes.subarray(1));
    await drained([collector]);
    assert.equal(collector.text(), 'é');
  });

  it('counts as drained while somebody else holds the stream open', async () => {
    const { stream, collector } = collect(100);
    stream.write('last words');
    await drained([collector]);
    assert.equal(collector.text(), 'last words');
    assert.equal(collector.closed, false);
    collector.destroy();
  });
});
