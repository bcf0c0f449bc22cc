import { z } from 'zod';

/** Condition types: `Ready` always; `Reconciling` and `Stalled` only while true (kstatus); the others only while true. */
export const CONDITION_TYPES = [
  'Ready',
  'Reconciling',
  'Stalled',
  'Suspended',
  'Held',
  'RestartRequired',
  'RepositoryFailed',
] as const;

const ALL = ['Tenant', 'Plan', 'Quota', 'RDPInstance'] as const;

/**
 * Every reason that a condition of ours can have, the kinds that use it, and what it means in the reference. Closed: a reason that
 * is not here does not compile. Alphabetical.
 */
export const REASON_TEXTS = {
  ApplyFailed: {
    kinds: ['Tenant'],
    text: "what the tenant's own repository holds cannot be applied; its last good content stays",
  },
  BasedOnNotFound: {
    kinds: ['Plan'],
    text: 'the Plan that `basedOn` names is missing, or a Plan below the provider names none',
  },
  BreakerTripped: {
    kinds: ['Tenant', 'RDPInstance'],
    text: 'too many removals in an hour; what was removed keeps running until a person confirms',
  },
  CurrencyMismatch: { kinds: ['Plan'], text: 'the Plan that it is based on is in another currency' },
  DuplicateIdentity: { kinds: ['Tenant'], text: 'another Tenant of the same seller has this `spec.id`' },
  FetchFailed: {
    kinds: ['Tenant'],
    text: "the tenant's own repository cannot be fetched; its last good content stays",
  },
  GrantsUnreadable: {
    kinds: ['Tenant', 'RDPInstance'],
    text: 'the record of what was granted cannot be read; nothing new is granted until it can',
  },
  GuestShutDown: { kinds: ['RDPInstance'], text: 'the guest shut itself down; set `restartedAt` to start it' },
  HostNotAllowed: {
    kinds: ['Tenant'],
    text: 'the repository is on a private address or name, which the provider has not allowed; nothing is fetched',
  },
  ImageNotAllowed: { kinds: ['RDPInstance'], text: 'the Plan does not list the image' },
  ImageNotFound: { kinds: ['RDPInstance'], text: 'there is no such image' },
  Incomplete: { kinds: ['Plan'], text: 'a root Plan that lacks a size or images' },
  Invalid: { kinds: ALL, text: 'a rule that needs the surroundings is broken; the message names the field' },
  NameConflict: {
    kinds: ['Tenant', 'RDPInstance'],
    text: 'an object of the name exists and is not ours; it is never touched',
  },
  NoSeller: { kinds: ALL, text: 'the namespace belongs to nobody who may sell or own this' },
  OffersMismatch: { kinds: ['Plan'], text: 'the Plan that it is based on offers another kind' },
  PlanNotFound: { kinds: ['Tenant', 'RDPInstance'], text: 'the seller has no such Plan' },
  PlanNotReady: { kinds: ['Tenant', 'RDPInstance'], text: 'the Plan cannot be bought; its own condition says why' },
  ProbeFailed: { kinds: ['RDPInstance'], text: 'the desktop answered RDP before and does not now' },
  Probing: { kinds: ['RDPInstance'], text: 'the guest runs and has not answered RDP yet' },
  Progressing: { kinds: ALL, text: 'work goes on' },
  QuotaExceeded: {
    kinds: ['Tenant', 'RDPInstance'],
    text: 'it does not fit; the message says what was asked, used and allowed',
  },
  RestartRequired: { kinds: ['RDPInstance'], text: 'a change takes effect at the next restart' },
  Retrying: { kinds: ALL, text: 'a passing error; it is tried again' },
  Stopped: { kinds: ['RDPInstance'], text: '`spec.power` is Stopped' },
  SecretNotFound: {
    kinds: ['Tenant'],
    text: 'the Secret for the repository is not there, or not of the type sublet.dev/git; nothing is fetched',
  },
  StorageShrink: { kinds: ['RDPInstance'], text: 'disks grow and never shrink' },
  Succeeded: { kinds: ALL, text: 'everything is as the spec says' },
  Suspended: { kinds: ['Tenant', 'RDPInstance'], text: 'the Tenant or one above it is suspended or held' },
  TenantNotFound: {
    kinds: ['Tenant', 'Quota', 'RDPInstance'],
    text: 'the Tenant of that name, or the one that owns the namespace, is not there',
  },
  Terminating: { kinds: ALL, text: 'it is being removed' },
  TombstoneConflict: {
    kinds: ['RDPInstance'],
    text: 'a disk from before the removal is kept and does not fit what is asked now',
  },
  WaitingForAddress: { kinds: ['RDPInstance'], text: 'the Service has no address yet' },
  WaitingForDisk: { kinds: ['RDPInstance'], text: 'the disk is being cloned' },
  WaitingForVM: { kinds: ['RDPInstance'], text: 'the virtual machine is starting' },
  Widened: { kinds: ['Plan'], text: 'it gives more than the Plan that it is based on' },
} as const satisfies Readonly<Record<string, { readonly kinds: readonly string[]; readonly text: string }>>;
export type Reason = keyof typeof REASON_TEXTS;

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
