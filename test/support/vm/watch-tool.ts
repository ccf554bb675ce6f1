/** A program for containers that prints the inotify events of paths: this machine's perl, with the libraries that it needs. */
import assert from 'node:assert/strict';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { runCommand } from '../run-command.ts';

const PERL = '/usr/bin/perl';
/** System calls of x86-64: inotify_init1, and inotify_add_watch for all that changes. */
const SCRIPT = `
$| = 1;
my $fd = syscall(294, 0);
for (@ARGV) { my $path = $_; $path{syscall(254, $fd, $path, 0xfce)} = $path; }
print "watching\\n";
open(my $in, "<&=", $fd);
while (sysread($in, my $events, 65536)) {
  while (length $events) {
    my ($watch, $mask, $cookie, $size) = unpack("iIII", $events);
    printf "%s %s %x\\n", $path{$watch}, unpack("Z*", substr($events, 16, $size)), $mask;
    $events = substr($events, 16 + $size);
  }
}
`;

/** Says all datagrams back that come to a port. */
const UDP_ECHO = `
socket(my $socket, 2, 2, 17) or die;
bind($socket, pack("Sna4x8", 2, $ARGV[0], "\\0\\0\\0\\0")) or die;
while (my $from = recv($socket, my $datagram, 65536, 0)) { send($socket, $datagram, 0, $from); }
`;

/** Puts it into `dir`. Mounted at `place`, its commands are what `watchCommand` and `udpEchoCommand` say. */
export async function installWatchTool(dir: string): Promise<void> {
  await mkdir(dir, { recursive: true });
  const { code, stdout, stderr } = await runCommand(['ldd', PERL]);
  assert.equal(code, 0, stderr);
  const libraries = stdout.match(/\/\S+/g) ?? [];
  for (const path of [PERL, ...libraries]) await copyFile(path, join(dir, basename(path)));
  await writeFile(join(dir, 'watch.pl'), SCRIPT);
  await writeFile(join(dir, 'udp-echo.pl'), UDP_ECHO);
}

/** Prints `watching`, then `PATH NAME MASK` for each event of these paths. */
export function watchCommand(place: string, paths: readonly string[]): readonly string[] {
  return perlCommand(place, 'watch.pl', paths);
}

/** Answers datagrams until it is ended. */
export function udpEchoCommand(place: string, port: number): readonly string[] {
  return perlCommand(place, 'udp-echo.pl', [String(port)]);
}

function perlCommand(place: string, script: string, args: readonly string[]): readonly string[] {
  const loader = `${place}/ld-linux-x86-64.so.2`;
  return [loader, '--library-path', place, `${place}/perl`, `${place}/${script}`, ...args];
}
