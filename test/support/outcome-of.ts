/** How an operation failed, for tests that expect it to. */
import { kindOf, messageOf } from '../../src/shared/errors.ts';

/** Kind and text of the rejection; kind `none` when there was none. */
export async function outcomeOf(
  operation: Promise<unknown>,
): Promise<{ readonly kind: string; readonly text: string }> {
  return await operation.then(
    () => ({ kind: 'none', text: '' }),
    (error: unknown) => ({ kind: kindOf(error), text: messageOf(error) }),
  );
}
