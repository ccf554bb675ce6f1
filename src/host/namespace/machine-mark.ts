/** How processes of one machine are told from all others. */

/**
 * Environment variable that anchor, engine and every helper of the engine carry: it names the runtime directory.
 * A machine is found by it even when the record of the machine is lost; the number of a namespace alone would not
 * do, because the kernel gives it to another namespace later.
 */
export const MACHINE_MARK = 'WHERRY_MACHINE';
