/** Looking at whether other things can go on. */

/** Turns that the event loop made while `operation` ran. */
export async function turnsDuring(operation: Promise<unknown>): Promise<number> {
  let turns = 0;
  const count = () => {
    turns += 1;
    ticking = setImmediate(count);
  };
  let ticking = setImmediate(count);
  try {
    await operation;
  } finally {
    clearImmediate(ticking);
  }
  return turns;
}
