/** How fast names of containers are answered, by a client with many questions under way. */
import { runCommand } from '../../test/support/run-command.ts';
import { inNetworkOf } from './network-section.ts';
import type { Reading } from './sections.ts';
import { runClient, type Subject } from './subject.ts';

const SECONDS = 5;
const UNDER_WAY = 64;

/** Asks for the A record of a name at a server for some seconds; prints queries a second and the latency of the slowest hundredth. */
const CLIENT = `
const [server, name, seconds, underWay] = process.argv.slice(1);
const label = Buffer.from(name);
const question = Buffer.concat([Buffer.from([0,0,1,0,0,1,0,0,0,0,0,0,label.length]), label, Buffer.from([0,0,1,0,1])]);
const socket = require('dgram').createSocket('udp4');
const sentAt = new Map();
const latencies = [];
let id = 0;
const end = performance.now() + seconds * 1000;
const ask = () => {
  id = (id + 1) & 0xffff;
  const message = Buffer.from(question);
  message.writeUInt16BE(id);
  sentAt.set(id, performance.now());
  socket.send(message, 53, server);
};
socket.on('message', (answer) => {
  const key = answer.readUInt16BE(0);
  if (answer.readUInt16BE(6) === 0) throw new Error('no answer section');
  latencies.push(performance.now() - (sentAt.get(key) ?? NaN));
  sentAt.delete(key);
  if (performance.now() < end) return ask();
  latencies.sort((a, b) => a - b);
  console.log(JSON.stringify([latencies.length / seconds, latencies[Math.floor(latencies.length * 0.99)]]));
  process.exit();
});
for (let count = 0; count < underWay; count++) ask();
`;

/** One container asks for the name of another on the same network. */
export async function measureNames(subject: Subject): Promise<readonly Reading[]> {
  await runClient(subject, 'network', 'create', 'bench-names');
  const names = ['bench-asker', 'bench-target'];
  for (const name of names) {
    const where = ['--name', name, '--network', 'bench-names'];
    await runClient(subject, 'run', '-d', ...where, subject.image, 'sleep', '1000');
  }
  const pid = Number(await runClient(subject, 'inspect', '-f', '{{.State.Pid}}', 'bench-asker'));
  const files = await runClient(subject, 'exec', 'bench-asker', 'cat', '/etc/resolv.conf');
  const server = /^nameserver (\S+)$/m.exec(files)?.[1] ?? '127.0.0.11';
  const demand = [server, 'bench-target', String(SECONDS), String(UNDER_WAY)];
  const command = [...inNetworkOf(pid), process.execPath, '-e', CLIENT, ...demand];
  const { stdout, stderr } = await runCommand(command, { timeoutMs: 30_000 });
  await runClient(subject, 'rm', '-f', ...names);
  await runClient(subject, 'network', 'rm', 'bench-names');
  if (stdout === '') throw new Error(`no answers: ${stderr}`);
  const [rate = Number.NaN, slowest = Number.NaN] = JSON.parse(stdout);
  return [
    ['names, queries/s', rate],
    [`names, p99 with ${UNDER_WAY} under way, ms`, slowest],
  ];
}
