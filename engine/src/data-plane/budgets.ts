/**
 * Where the simulator stops following, whatever a file holds: each of these ends has a name (docs/outcomes.md), so
 * that nothing runs for ever and no trace outgrows its reader.
 */

/** Of one journey: a TTL of 255 runs out long before. */
export const MAX_HOPS = 5000;

/** Outer packets around one packet: the kernel's own limit for devices that send by other devices (XMIT_RECURSION_LIMIT). */
export const MAX_TUNNELS = 8;

/** Of one journey: also of the copies that were nobody's, whose hops are taken back. */
export const MAX_WORK = 100_000;

/** From here on a frame that comes to the same port again is known to go round. */
export const HOPS_WITHOUT_SUSPICION = 100;

/** Of one question: rules asked, each that matched counted as `MATCHED_RULE`, for its record is what takes room. */
export const MAX_RULES = 10_000_000;
export const MATCHED_RULE = 100;

/** Chains inside each other. */
export const MAX_CHAIN_DEPTH = 512;

export const MAX_BRANCHES = 4096;

/** In which two rulesets may be asked, each with branches of its own. */
export const MAX_ORDERS = 256;

/** Of all branches of a trace together; a hop with its packet takes as much room as so many steps. */
export const MAX_STEPS = 400_000;
export const HOP_AS_STEPS = 3;

/** As `MAX_RULES`, of all branches together. */
export const MAX_RULES_OF_BRANCHES = 50_000_000;
