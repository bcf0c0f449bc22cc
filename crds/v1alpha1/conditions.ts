import { z } from 'zod';

/** Condition types: `Ready` always; `Reconciling` and `Stalled` only while true (kstatus); the others only while true. */
export const CONDITION_TYPES = ['Ready', 'Reconciling', 'Stalled', 'Suspended', 'Held', 'RestartRequired'] as const;

/** Every reason that a condition of ours can have. Closed: a reason that is not here does not compile. */
export const REASONS = [
  'BasedOnNotFound',
  'BreakerTripped',
  'CurrencyMismatch',
  'DuplicateIdentity',
  'GrantsUnreadable',
  'GuestShutDown',
  'ImageNotAllowed',
  'ImageNotFound',
  'Incomplete',
  'Invalid',
  'NameConflict',
  'NoSeller',
  'OffersMismatch',
  'PlanNotFound',
  'PlanNotReady',
  'ProbeFailed',
  'Probing',
  'Progressing',
  'QuotaExceeded',
  'RestartRequired',
  'Retrying',
  'StorageShrink',
  'Stopped',
  'Succeeded',
  'Suspended',
  'TenantNotFound',
  'Terminating',
  'TombstoneConflict',
  'WaitingForAddress',
  'WaitingForDisk',
  'WaitingForVM',
  'Widened',
] as const;
export type Reason = (typeof REASONS)[number];

export const Condition = z.strictObject({
  type: z.string().min(1).max(64),
  status: z.enum(['True', 'False', 'Unknown']),
  reason: z.string().min(1).max(64),
  message: z.string().max(32_768),
  lastTransitionTime: z.string().max(64),
  observedGeneration: z.number().int().min(0).optional(),
});
/** A condition as it is read; what we write has a {@link Reason} of the closed list. */
export type Condition = Readonly<z.infer<typeof Condition>>;
