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

/** `metav1.Condition`. Open in `type` and `reason`, so that a newer operator's status passes an older schema. */
export const Condition = z
  .strictObject({
    type: z
      .string()
      .min(1)
      .max(64)
      .regex(/^[A-Za-z]+$/),
    status: z.enum(['True', 'False', 'Unknown']),
    reason: z
      .string()
      .min(1)
      .max(64)
      .regex(/^[A-Za-z]+$/)
      .describe('One word, from the closed list in the reference.'),
    message: z.string().max(32_768).describe('What is the matter and what to do.'),
    lastTransitionTime: z.string().max(40).meta({ format: 'date-time' }).describe('When `status` last changed.'),
    observedGeneration: z.int().min(0).max(9_000_000_000_000_000).optional(),
  })
  .describe('One aspect of the state of a resource.');
/** A condition as it is read; what we write has a {@link Reason} of the closed list. */
export type Condition = Readonly<z.infer<typeof Condition>>;
