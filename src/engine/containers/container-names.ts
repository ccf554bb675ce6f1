/** Container names: what is allowed, and made-up ones for containers that were given none. */
import { randomInt } from 'node:crypto';
import { invalidName } from './container-errors.ts';

/** Docker's rule (`RestrictedNamePattern`): a leading letter or digit and at least one more character. */
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

/** The name without its leading slash; `invalid-argument` when it breaks the rule. */
export function parseContainerName(text: string): string {
  const name = text.startsWith('/') ? text.slice(1) : text;
  if (!NAME.test(name)) throw invalidName(text);
  return name;
}

const MOODS =
  'able amber ample brave breezy brisk calm candid cheery clear clever cosy crisp daring deft eager early fair fleet fond frank gentle glad golden happy hardy hearty humble jolly keen kind lively lucid mellow merry mild nimble noble patient placid plucky proud quick quiet ready rosy salty serene sharp silver sleek smart snug spry steady stout sunny sure swift tidy tranquil trim true trusty vivid warm wise witty'.split(
    ' ',
  );
const THINGS =
  'anchor barge barque beacon berth bollard bowsprit breaker breeze brig buoy cabin canoe capstan catboat clipper cockle compass coracle cove current cutter dinghy dory eddy estuary ferry fjord galley gannet gull halyard harbour haven helm heron islet jetty keel ketch lagoon lantern launch ledge lugger mainsail marina mast mooring oar osprey otter paddle pelican pennant pier pilot pinnace porpoise puffin punt quay reef rigging rudder sailor schooner seal sextant shallop shoal shore skiff sloop sounding spar squall tern tide tiller trawler tug wake wave wharf windlass yawl'.split(
    ' ',
  );

/** A random readable name that `isTaken` does not know, such as `brave_ketch` or `brave_ketch7`. */
export function generateName(isTaken: (name: string) => boolean): string {
  for (let attempt = 0; ; attempt++) {
    const base = `${pick(MOODS)}_${pick(THINGS)}`;
    const name = attempt < 4 ? base : `${base}${randomInt(10 ** Math.min(attempt - 3, 9))}`;
    if (!isTaken(name)) return name;
  }
}

function pick(words: readonly string[]): string {
  return words[randomInt(words.length)] ?? 'wherry';
}
