/** `DeviceRequests` (`--gpus`, `--device vendor.com/class=name`) as names of CDI devices. */
import type { DeviceRequest } from '../../wire/container-config.ts';
import { invalidDeviceRequest, noDeviceDriver } from '../runtime-errors.ts';

const CDI_DRIVER = 'cdi';
/** Who may be asked for a GPU, first come first served. */
const GPU_KINDS = ['nvidia.com/gpu', 'amd.com/gpu', 'intel.com/gpu'];
const GPU_DRIVERS = ['', 'nvidia', 'amd', 'intel'];
const ALL = 'all';

/**
 * Qualified names for the requests, of which `known` is what the machine has. `invalid-argument` with Docker's texts
 * for a driver or a capability that nobody here provides.
 */
export function requestedDevices(
  requests: readonly DeviceRequest[],
  known: readonly string[],
): readonly string[] {
  return [...new Set(requests.flatMap((request) => namesFor(request, known)))];
}

function namesFor(request: DeviceRequest, known: readonly string[]): readonly string[] {
  if (request.Driver === CDI_DRIVER) return cdiNames(request);
  const kind = gpuKind(request, known);
  if (kind === undefined) throw noDeviceDriver(request.Driver ?? '', request.Capabilities ?? []);
  return gpuNames(request).map((name) => `${kind}=${name}`);
}

function cdiNames({ Count = 0, Options, DeviceIDs }: DeviceRequest): readonly string[] {
  if (Count !== 0) throw invalidDeviceRequest('unexpected count in CDI device request');
  if (Object.keys(Options ?? {}).length > 0) {
    throw invalidDeviceRequest('unexpected options in CDI device request');
  }
  return DeviceIDs ?? [];
}

/** The kind of GPU that the machine has a description of; undefined without any, or when no GPU is asked for. */
function gpuKind(request: DeviceRequest, known: readonly string[]): string | undefined {
  const { Driver = '', Capabilities } = request;
  const wantsGpu = (Capabilities ?? []).some((list) => list.includes('gpu'));
  if (!wantsGpu || !GPU_DRIVERS.includes(Driver)) return undefined;
  return GPU_KINDS.filter((kind) => kind.startsWith(Driver)).find((kind) =>
    known.some((name) => name.startsWith(`${kind}=`)),
  );
}

/** Given by name, or by a number of which -1 means all; they count from 0. */
function gpuNames({ Count = 0, DeviceIDs }: DeviceRequest): readonly string[] {
  if ((DeviceIDs ?? []).length > 0) return DeviceIDs ?? [];
  return Count < 0 ? [ALL] : Array.from({ length: Count }, (_, at) => String(at));
}
