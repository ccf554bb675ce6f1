/** Errors of running containers, with Docker's texts where Docker has one. */
import { EngineError, messageOf } from '../shared/errors.ts';
import { errnoCode } from '../sys/system-errors.ts';

/** What a runtime said about a process that it could not start, in Docker's words. */
export interface RuntimeFailure {
  /** The runtime's message, e.g. `exec: "x": executable file not found in $PATH`. */
  readonly text: string;
  /** 127: no such program; 126: it cannot be executed; 128: anything else (what Docker stores). */
  readonly exitCode: 126 | 127 | 128;
}

/** The name is not in the table of runtimes. Docker's text. */
export function unknownRuntime(name: string): EngineError {
  return new EngineError('invalid-argument', `unknown or invalid runtime name: ${name}`);
}

/** The runtime's program is missing or cannot run a container here. */
export function runtimeUnusable(name: string, reason: string): EngineError {
  return new EngineError('unavailable', `the OCI runtime ${name} cannot be used: ${reason}`);
}

/** A runtime leaves the container where it was instead of in the control group it was told. */
export function notInItsGroup(): EngineError {
  return probeFailed('it does not put the container into its control group');
}

/** A probe of a runtime step that gave no usable answer; `runtimeUnusable` reports the last of them. */
export function probeFailed(what: string): EngineError {
  return new EngineError('unavailable', what);
}

/** The container's process could not be started: 400 when the request named a bad program, as in Docker. */
export function createFailed(failure: RuntimeFailure): EngineError {
  return startFailure(
    `failed to create task for container: failed to create shim task: OCI runtime create failed: ${failure.text}: unknown`,
    failure,
  );
}

/** The process of an exec session could not be started. */
export function execFailed(failure: RuntimeFailure): EngineError {
  return startFailure(`OCI runtime exec failed: ${failure.text}: unknown`, failure);
}

/** The log driver `journald` where there is no journal. Docker's text, and what to do. */
export function noJournal(socketPath: string, cause: unknown): EngineError {
  return new EngineError(
    'unavailable',
    `failed to initialize logging driver: journald is not enabled on this host: nobody receives at ${socketPath}; start systemd-journald, or choose --log-driver json-file or local`,
    { cause, details: { exitCode: '128' } },
  );
}

/** The runtime started a process with a terminal and did not hand the terminal over. */
export function noTerminal(): EngineError {
  return new EngineError('internal', 'the OCI runtime did not hand over the terminal');
}

/** The monitor itself failed before it could run the runtime. */
export function monitorFailed(reason: string): EngineError {
  return new EngineError('internal', `the container monitor failed: ${reason}`, {
    details: { exitCode: '128' },
  });
}

/** The created container did not go on to run its program. */
export function startSignalLost(id: string): EngineError {
  return new EngineError('internal', `container ${id} was created but did not start`, {
    details: { exitCode: '128' },
  });
}

/** The init process has ended: nothing to signal. Docker's text. */
export function taskGone(id: string): EngineError {
  return new EngineError('conflict', `container ${id} is not running`);
}

/** The process that should read our input has gone. */
export function stdinClosed(cause: unknown): EngineError {
  return new EngineError('conflict', 'the process no longer reads its standard input', { cause });
}

/** The task was started without a stdin that can be written to. */
export function noStdin(id: string): EngineError {
  return new EngineError('conflict', `container ${id} has no open standard input`);
}

/** A task that still runs cannot have its files removed. */
export function taskStillRunning(id: string): EngineError {
  return new EngineError('conflict', `container ${id} is still running`);
}

/** Processes kept being started while all of them were to be stopped. */
export function cannotFreeze(id: string): EngineError {
  return new EngineError(
    'internal',
    `cannot pause container ${id}: its processes keep multiplying`,
  );
}

/** The kernel was told to freeze or thaw a control group and has not finished. */
export function freezerStuck(group: string): EngineError {
  return new EngineError('internal', `the processes of ${group} cannot be stopped at once`);
}

/** `ps` refused its arguments. Docker's form, with the first line of what `ps` said. */
export function psFailed(complaint: string): EngineError {
  return new EngineError('internal', `ps: ${complaint}`);
}

/** Options of `ps` that leave out the column which tells processes apart. Docker's text. */
export function noPidColumn(): EngineError {
  return new EngineError('invalid-argument', "Couldn't find PID field in ps output");
}

/** A file of the runtime directory does not have the form this program writes. */
export function corruptTaskFile(path: string, cause?: unknown): EngineError {
  const reason = cause === undefined ? '' : `: ${messageOf(cause)}`;
  return new EngineError('corrupt', `unreadable task file ${path}${reason}`, { cause });
}

/** Docker's text for a user name that the image does not know. */
export function unknownUser(name: string): EngineError {
  return startRefused(`unable to find user ${name}: no matching entries in passwd file`);
}

/** Docker's text for a group name that the image does not know. */
export function unknownGroup(name: string): EngineError {
  return startRefused(`unable to find group ${name}: no matching entries in group file`);
}

/** Ids beyond what the kernel takes. */
export function idOutOfRange(): EngineError {
  return startRefused('uids and gids must be in range 0-2147483647');
}

/** Neither command nor entry point. Docker's text. */
export function noCommand(): EngineError {
  return startRefused('no command specified');
}

/** The working directory must be absolute. Docker's text. */
export function workingDirNotAbsolute(dir: string): EngineError {
  return startRefused(`the working directory '${dir}' is invalid, it needs to be an absolute path`);
}

/** A path inside the container whose symbolic links go round in circles. */
export function tooManyLinks(path: string): EngineError {
  return startRefused(`too many symbolic links in ${path}`);
}

/** The working directory exists but is no directory. Docker's text. */
export function workingDirNotDirectory(dir: string): EngineError {
  return startRefused(`Cannot mkdir: ${dir} is not a directory`);
}

/** A name in `CapAdd` or `CapDrop` that no kernel knows. Docker's text. */
export function invalidCapability(field: 'CapAdd' | 'CapDrop', name: string): EngineError {
  return new EngineError('invalid-argument', `invalid ${field}: unknown capability: "${name}"`);
}

/** A name in `CapAdd` or `CapDrop` that the kernel does not know. Docker's text. */
export function unknownCapability(name: string): EngineError {
  return startRefused(`unknown capability: "${name}"`);
}

/** A `SecurityOpt` entry that cannot be understood. Docker's text. */
export function invalidSecurityOption(option: string): EngineError {
  return startRefused(`invalid --security-opt: ${JSON.stringify(option)}`);
}

/** A seccomp profile that is not one. Docker's text. */
export function invalidSeccompProfile(reason: string): EngineError {
  return startRefused(`Decoding seccomp profile failed: ${reason}`);
}

/** A resource limit name that the kernel does not have. Docker's text. */
export function invalidUlimit(name: string): EngineError {
  return startRefused(`invalid ulimit type: ${name}`);
}

/** A device of the host that is asked for and is not there. Docker's text. */
export function deviceUnavailable(path: string, cause: unknown): EngineError {
  const code = errnoCode(cause);
  const why = code === 'ENOENT' ? 'no such file or directory' : messageOf(cause);
  return startRefused(
    `error gathering device information while adding custom device "${path}": ${why}`,
  );
}

/** A device mapping that names something which is not a device. Docker's text. */
export function notADevice(path: string): EngineError {
  return startRefused(
    `error gathering device information while adding custom device "${path}": not a device node`,
  );
}

/** A limit that the kernel does not take. */
export function limitRefused(file: string, text: string, cause: unknown): EngineError {
  return new EngineError(
    'invalid-argument',
    `cannot set ${file} to ${JSON.stringify(text)}: ${messageOf(cause)}`,
    { cause },
  );
}

/** More processors than there are. Docker's text. */
export function tooManyCpus(count: number): EngineError {
  return startRefused(
    `Range of CPUs is from 0.01 to ${count}.00, as there are only ${count} CPUs available`,
  );
}

/** A set with processors that are not there. Docker's text. */
export function cpusNotAvailable(wanted: string, available: string): EngineError {
  return startRefused(
    `Requested CPUs are not available - requested ${wanted}, available: ${available}`,
  );
}

/** CDI devices that no file on this machine describes. Docker's text. */
export function unresolvableDevices(names: readonly string[]): EngineError {
  return startRefused(`CDI device injection failed: unresolvable CDI devices ${names.join(', ')}`);
}

/** A CDI device that asks for what cannot be had here. */
export function unsupportedCdiEdit(why: string): EngineError {
  return startRefused(`CDI device injection failed: ${why}`);
}

/** A device request that contradicts itself. Docker's text. */
export function invalidDeviceRequest(why: string): EngineError {
  return startRefused(why);
}

/** Nobody here provides devices with these capabilities. Docker's text. */
export function noDeviceDriver(
  driver: string,
  capabilities: readonly (readonly string[])[],
): EngineError {
  const lists = capabilities.map((list) => `[${list.join(' ')}]`).join(' ');
  return startRefused(`could not select device driver "${driver}" with capabilities: [${lists}]`);
}

/** A namespace mode that this program does not offer. */
export function unsupportedNamespaceMode(option: string, mode: string): EngineError {
  return startRefused(`invalid ${option} mode: ${mode}`);
}

function startRefused(message: string): EngineError {
  return new EngineError('invalid-argument', message);
}

function startFailure(message: string, failure: RuntimeFailure): EngineError {
  const kind = failure.exitCode === 128 ? 'internal' : 'invalid-argument';
  return new EngineError(kind, message, { details: { exitCode: String(failure.exitCode) } });
}
