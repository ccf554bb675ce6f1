import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frameMessage, MessageReader } from './tcp-messages.ts';

test('messages come out whole however the stream is cut', () => {
  const stream = Buffer.concat(['one', 'second'].map((text) => frameMessage(Buffer.from(text))));
  for (let size = 1; size <= stream.length; size++) {
    const messages: string[] = [];
    const reader = new MessageReader((message) => messages.push(message.toString()));
    for (let at = 0; at < stream.length; at += size) reader.push(stream.subarray(at, at + size));
    assert.deepEqual(messages, ['one', 'second']);
  }
});
