import type { KubeObject, ObjectKey } from '../../kube/object.ts';

/** Which processes can be killed. */
export type KillableRole = 'operator' | 'source' | 'flux' | 'kubevirt' | 'controllers' | 'writer';

/** Where a writer is between taking an order from the journal and writing down what became of it. */
export const WRITER_POINTS = [
  'after pending',
  'before commit',
  'after commit',
  'before push',
  'after push',
  'before record',
  'after record',
] as const;

/** What one action does to the world. Paths are below the repository's root; `null` removes a file. */
export type Step =
  | { readonly type: 'commit'; readonly changes: Readonly<Record<string, string | null>> }
  /** As `kubectl apply --server-side`, and `kubectl delete`, by a member. */
  | { readonly type: 'apply'; readonly object: KubeObject }
  | { readonly type: 'delete'; readonly kind: string; readonly key: ObjectKey }
  /** What a guest does by itself; the key is the desktop's. */
  | { readonly type: 'guest'; readonly key: ObjectKey; readonly does: 'shutdown' | 'crash' | 'hang' | 'answer' }
  /** A person looks whether a revision or removals are held, and confirms them. */
  | { readonly type: 'confirm' }
  /** The branch goes back by so many commits, or again to what everybody pushed. */
  | { readonly type: 'force-push'; readonly back: number }
  | { readonly type: 'empty-repository' }
  | { readonly type: 'restore-repository' }
  /** The branch is deleted. */
  | { readonly type: 'remove-branch' }
  /** So large a share of the writer's pushes goes wrong: overtaken, lost with or without effect, refused, not answered. */
  | { readonly type: 'push-errors'; readonly share: number; readonly forMs: number }
  /** The writer is killed once it gets to a point of its work, if it does so within the time. */
  | {
      readonly type: 'kill-writer';
      readonly at: (typeof WRITER_POINTS)[number];
      readonly downMs: number;
      readonly forMs: number;
    }
  | { readonly type: 'kill'; readonly role: KillableRole; readonly downMs: number }
  | { readonly type: 'break-watches' }
  | { readonly type: 'compact' }
  /** So large a share of calls fails, answered or not. */
  | { readonly type: 'api-errors'; readonly share: number; readonly forMs: number }
  | { readonly type: 'api-latency'; readonly maxMs: number; readonly forMs: number }
  | { readonly type: 'api-down'; readonly forMs: number }
  /** Watch lines of one role vanish without a trace, and its watches break at the end. */
  | { readonly type: 'drop-lines'; readonly role: KillableRole; readonly share: number; readonly forMs: number }
  | { readonly type: 'partition'; readonly role: KillableRole; readonly silent: boolean; readonly forMs: number }
  | { readonly type: 'repository-unreachable'; readonly forMs: number }
  | { readonly type: 'lose-node'; readonly node: string }
  /** Everything must have come true. */
  | { readonly type: 'checkpoint' };

/** One thing that happens, at a time since the beginning, told in plain words. */
export type Action = { readonly atMs: number; readonly what: string; readonly step: Step };

export const FAULT_KINDS = [
  'kill-operator',
  'kill-source',
  'kill-flux',
  'kill-kubevirt',
  'kill-controllers',
  'api-errors',
  'api-latency',
  'api-down',
  'watches',
  'compaction',
  'partition',
  'repository',
  'force-push',
  'emptied',
  'node-loss',
  'guest',
] as const;
/** What goes wrong between the Git write engine and the repository; only for scenarios whose orders go through it. */
export const GIT_FAULT_KINDS = ['push-errors', 'kill-writer', 'branch-gone'] as const;
export type FaultKind = (typeof FAULT_KINDS)[number] | (typeof GIT_FAULT_KINDS)[number];

/** What must hold of one declared object once everything has settled. */
export type Expectation = {
  readonly kind: 'Tenant' | 'RDPInstance';
  readonly namespace: string;
  readonly name: string;
  /** `Ready`; the reason for which it is not; `Unclear`: what people did leaves it open; `Gone`: it was removed. */
  readonly expect: 'Ready' | 'Suspended' | 'Stopped' | 'GuestShutDown' | 'Refused' | 'Unclear' | 'Gone';
};
