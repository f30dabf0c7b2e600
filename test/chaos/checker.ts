import { checkAgreement } from './check-agreement.js';
import { checkChanges } from './check-changes.js';
import { checkMembers } from './check-members.js';
import { checkMessages } from './check-messages.js';
import { checkOrder } from './check-order.js';
import { checkState } from './check-state.js';
import { checkStreams } from './check-streams.js';
import type { Evidence } from './evidence.js';

/** Returns every violation of the guarantees that the evidence shows, in plain words. */
export function findViolations(evidence: Evidence): string[] {
  return [
    ...checkAgreement(evidence),
    ...checkMessages(evidence),
    ...checkChanges(evidence),
    ...checkOrder(evidence),
    ...checkStreams(evidence),
    ...checkMembers(evidence),
    ...checkState(evidence),
  ];
}
