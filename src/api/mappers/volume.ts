/** Volumes on the wire. */
import type { VolumeDocument } from '../../engine/volumes/volume-document.ts';

/** `Volume` of the reference. `mountpoint` is the absolute host path of its data. */
export function toVolume(document: VolumeDocument, mountpoint: string): object {
  return {
    CreatedAt: document.createdAt,
    Driver: document.driver,
    Labels: emptyAsNull(document.labels),
    Mountpoint: mountpoint,
    Name: document.name,
    Options: emptyAsNull(document.options),
    Scope: 'local',
  };
}

/** Docker writes null where nothing was given. */
function emptyAsNull(map: Readonly<Record<string, string>>): object | null {
  return Object.keys(map).length === 0 ? null : map;
}
