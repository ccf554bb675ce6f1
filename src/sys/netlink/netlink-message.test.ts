import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addAddressRequest, decodeAddress, decodeRoute } from './address-messages.ts';
import { addVethRequest, decodeLink, getLinkRequest } from './link-messages.ts';
import {
  decodeAcknowledgement,
  decodeAttributes,
  decodeMessages,
  encodeAttributes,
  encodeRequest,
  type NetlinkMessage,
  textValue,
} from './netlink-message.ts';

/** A request as the kernel would send the same structure back. */
function echoed(bytes: Buffer, type: number): NetlinkMessage {
  const [message] = decodeMessages(bytes);
  return { ...(message ?? assert.fail('no message')), type };
}

test('a request has its length, type, flags and sequence in the header', () => {
  const bytes = encodeRequest(getLinkRequest('lo'), 7);
  assert.equal(
    bytes.toString('hex'),
    // length 40, getlink, request|ack, sequence 7, port 0; 16 bytes ifinfomsg; name "lo" padded to 8 bytes
    `28000000120005000700000000000000${'00'.repeat(16)}070003006c6f0000`,
  );
});

test('attributes are padded to four bytes, and nested ones count their padding', () => {
  const bytes = encodeAttributes([
    { type: 1, value: Buffer.from([9]) },
    { type: 2, value: [{ type: 3, value: textValue('ab') }] },
  ]);
  assert.equal(bytes.length, 8 + 4 + 8);
  const outer = decodeAttributes(bytes);
  assert.deepEqual(outer.get(1), Buffer.from([9]));
  assert.deepEqual(decodeAttributes(outer.get(2) ?? Buffer.alloc(0)).get(3), textValue('ab'));
});

test('a truncated datagram yields its whole messages only', () => {
  const one = encodeRequest(getLinkRequest('lo'), 1);
  const both = Buffer.concat([one, encodeRequest(getLinkRequest('eth0'), 2)]);
  const sequences = (bytes: Buffer) => decodeMessages(bytes).map(({ sequence }) => sequence);
  assert.deepEqual(sequences(both), [1, 2]);
  assert.deepEqual(sequences(both.subarray(0, both.length - 1)), [1]);
  assert.deepEqual(sequences(Buffer.from([3, 0, 0, 0])), []);
});

test('an acknowledgement tells errno and the explanation of the kernel', () => {
  const header = Buffer.alloc(20);
  header.writeInt32LE(-17, 0);
  header.writeUInt32LE(36, 4);
  const payload = Buffer.concat([
    header,
    encodeAttributes([{ type: 1, value: textValue('name taken') }]),
  ]);
  const message = { type: 2, flags: 0x300, sequence: 1, payload };
  assert.deepEqual(decodeAcknowledgement(message), { errno: 17, explanation: 'name taken' });
  assert.deepEqual(decodeAcknowledgement({ ...message, flags: 0 }), { errno: 17, explanation: '' });
});

test('a link is read with its name, size, hardware address and master', () => {
  const request = addVethRequest({
    name: 'veth0',
    mtu: 65520,
    peer: { name: 'eth0', namespaceFd: 3, macAddress: '02:42:ac:11:00:02' },
  });
  const link = decodeLink(echoed(encodeRequest(request, 1), 16));
  assert.deepEqual(link, {
    index: 0,
    name: 'veth0',
    isUp: true,
    mtu: 65520,
    macAddress: '',
    masterIndex: 0,
  });
});

test('an address is read with its prefix, and other message types are passed over', () => {
  const address = { linkIndex: 2, prefix: { address: 0xac110002, prefixLength: 16 } };
  const bytes = encodeRequest(addAddressRequest(address), 1);
  assert.deepEqual(decodeAddress(echoed(bytes, 20)), address);
  assert.equal(decodeAddress(echoed(bytes, 16)), undefined);
  assert.equal(decodeRoute(echoed(bytes, 20)), undefined);
});
