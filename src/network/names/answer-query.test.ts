import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode, encode, type Packet, type RecordType } from 'dns-packet';
import { answerQuery, decodeQuery, failQuery, ResponseCode } from './answer-query.ts';

const addresses = new Map([
  ['web', ['10.0.0.2']],
  ['dual', ['10.0.0.3', 'fd00::3']],
  ['many', Array.from({ length: 60 }, (_, number) => `10.0.0.${number + 1}`)],
]);

const known = {
  addressesOf: (name: string) => addresses.get(name),
  nameOf: (address: string) => ({ '10.0.0.2': 'web.front', 'fd00::3': 'dual.front' })[address],
};

function query(name: string, type: RecordType): Packet {
  const message = encode({ type: 'query', id: 7, flags: 0x100, questions: [{ type, name }] });
  return decodeQuery(message) ?? assert.fail();
}

const answers = (message: Buffer | undefined) =>
  decode(message ?? assert.fail()).answers?.map((one) => ('data' in one ? one.data : undefined));

test('a known name has its addresses, and nothing of any other kind', () => {
  assert.deepEqual(answers(answerQuery(query('web', 'A'), known, 'udp')), ['10.0.0.2']);
  assert.deepEqual(answers(answerQuery(query('web', 'AAAA'), known, 'udp')), []);
  assert.deepEqual(answers(answerQuery(query('dual', 'AAAA'), known, 'udp')), ['fd00::3']);
  assert.deepEqual(answers(answerQuery(query('dual', 'A'), known, 'udp')), ['10.0.0.3']);
});

test('an address is answered with its name', () => {
  const reverse = query('2.0.0.10.in-addr.arpa', 'PTR');
  assert.deepEqual(answers(answerQuery(reverse, known, 'udp')), ['web.front']);
  const digits = '3.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f';
  const reverse6 = query(`${digits}.ip6.arpa`, 'PTR');
  assert.deepEqual(answers(answerQuery(reverse6, known, 'udp')), ['dual.front']);
});

test('what is not known is left to others', () => {
  assert.equal(answerQuery(query('example.org', 'A'), known, 'udp'), undefined);
  assert.equal(answerQuery(query('9.9.9.9.in-addr.arpa', 'PTR'), known, 'udp'), undefined);
});

test('an answer that is too long for a datagram is cut, and whole over TCP', () => {
  const short = decode(answerQuery(query('many', 'A'), known, 'udp') ?? assert.fail());
  assert.deepEqual([short.flag_tc, short.answers?.length], [true, 0]);
  assert.equal(answers(answerQuery(query('many', 'A'), known, 'tcp'))?.length, 60);
});

test('a failure repeats the question and its id', () => {
  const failure = decode(failQuery(query('web', 'A'), ResponseCode.serverFailure));
  assert.deepEqual([failure.id, (failure.flags ?? 0) & 0xf], [7, ResponseCode.serverFailure]);
  assert.equal(decodeQuery(Buffer.from('nonsense')), undefined);
});
