/** The lines that `docker pull` and `docker load` print about layers. */
import { digestHex } from '../../oci/digest.ts';
import type { LayerObserver, LayerProgress, LayerSpec } from './layer-transfers.ts';
import type { ProgressChannel } from './progress-channel.ts';

const STATUS: Readonly<Record<LayerProgress['step'], string>> = {
  exists: 'Already exists',
  downloading: 'Downloading',
  verifying: 'Verifying Checksum',
  downloaded: 'Download complete',
  extracting: 'Extracting',
  complete: 'Pull complete',
};

/** The 12 digits by which a layer goes in progress lines. */
export function layerLabel(layer: LayerSpec): string {
  return digestHex(layer.descriptor.digest).slice(0, 12);
}

/** First lines of a pull, which fetches `atOnce` layers at a time: what is there, what will be fetched, what has to wait. */
export function announceLayers(
  channel: ProgressChannel,
  layers: readonly { readonly layer: LayerSpec; readonly isPresent: boolean }[],
  atOnce: number,
): void {
  const missing = layers.filter(({ isPresent }) => !isPresent);
  for (const { layer, isPresent } of layers) {
    const status = isPresent ? STATUS.exists : 'Pulling fs layer';
    channel.send({ status, progressDetail: {}, id: layerLabel(layer) });
  }
  for (const { layer } of missing.slice(atOnce)) {
    channel.send({ status: 'Waiting', progressDetail: {}, id: layerLabel(layer) });
  }
}

/** Lines of a pull while it runs. Layers that were announced as present stay silent. */
export function pullObserver(channel: ProgressChannel): LayerObserver {
  return (layer, progress) => {
    const id = layerLabel(layer);
    if (progress.step === 'exists') return;
    const status = STATUS[progress.step];
    if (progress.step === 'downloading' || progress.step === 'extracting') {
      const { current, total } = progress;
      channel.sendCount(id, status, { current, total });
    } else channel.send({ status, progressDetail: {}, id });
  };
}

/** Lines of a load, whose blobs are in the store already: one bar for each layer that is new. */
export function loadObserver(channel: ProgressChannel): LayerObserver {
  return (layer, progress) => {
    if (progress.step !== 'extracting') return;
    const { current, total } = progress;
    channel.sendCount(layerLabel(layer), 'Loading layer', { current, total });
  };
}
