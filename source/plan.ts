import { ROOT_NAMESPACE } from '../model/names.ts';
import type { HeldReason } from './externalartifact.ts';
import { computeShrink, renderShrink, type ShrinkRule } from './shrink.ts';
import { renderViolations, type Violation } from './violation.ts';

/** What the gate says of a folder. `digest` is that of the archive that holds exactly the accepted resources. */
export type FolderVerdict =
  | { readonly ok: true; readonly digest: string; readonly sizeBytes: number; readonly resources: readonly string[] }
  | { readonly ok: false; readonly violations: readonly Violation[] };

/** What is accepted now, as an ExternalArtifact states it. */
export type AcceptedArtifact = {
  /** Absent while the folder never had good content. */
  readonly digest?: string | undefined;
  readonly count: number;
  /** Known while its archive is there. */
  readonly resources?: readonly string[] | undefined;
  /** Its archive can be served. */
  readonly isStored: boolean;
};

export type PlanInput = {
  readonly revision: string;
  /** The revision that a person confirmed, whatever it removes. */
  readonly confirmed: string | undefined;
  readonly repository: { readonly namespace: string; readonly name: string; readonly annotation: string };
  readonly verdicts: ReadonlyMap<string, FolderVerdict>;
  readonly expected: ReadonlySet<string>;
  /** Fed by repositories of their own: their folders may go without asking. */
  readonly elsewhere: ReadonlySet<string>;
  readonly accepted: ReadonlyMap<string, AcceptedArtifact>;
  /** Published for a folder that is expected and not in the tree. */
  readonly empty: { readonly digest: string; readonly sizeBytes: number };
  readonly tenantsExist: boolean;
  /** False while the cluster's Tenants cannot be listed: then no artifact is removed. */
  readonly tenantsKnown: boolean;
  readonly shrinkRule: ShrinkRule;
};

export type PlannedState =
  | {
      readonly state: 'published';
      readonly digest: string;
      readonly sizeBytes: number;
      readonly resources: readonly string[];
    }
  | { readonly state: 'held'; readonly reason: HeldReason; readonly message: string };

export type Plan = {
  /** By folder; what is not named stays as it is. */
  readonly states: ReadonlyMap<string, PlannedState>;
  /** Artifacts that nobody needs: neither a folder nor a tenant is left. */
  readonly removals: readonly string[];
  /** Why the revision as a whole is held, with the way out. */
  readonly revisionHeld: string | undefined;
};

/** Decides what every artifact should say at this revision. */
export function computePlan(input: PlanInput): Plan {
  const { revision, accepted, verdicts, expected, repository } = input;
  const isCounted = ([name]: readonly [string, unknown]): boolean => !input.elsewhere.has(name);
  const before = new Map([...accepted].filter(isCounted));
  const next = new Map(
    [...verdicts]
      .filter(isCounted)
      .map(([name, verdict]) => [name, verdict.ok ? verdict.resources : ('kept' as const)]),
  );
  const shrink =
    input.confirmed === revision ? undefined : computeShrink(before, next, input.tenantsExist, input.shrinkRule);
  if (shrink !== undefined) {
    const message = renderShrink(shrink, revision, repository);
    return { states: holdAll(accepted, 'RevisionHeld', message), removals: [], revisionHeld: message };
  }
  const states = new Map<string, PlannedState>();
  for (const [name, verdict] of verdicts)
    states.set(
      name,
      verdict.ok ? { state: 'published', ...verdict } : holdFolder(verdict.violations, accepted.get(name)),
    );
  for (const name of expected)
    if (!states.has(name)) states.set(name, { state: 'published', resources: [], ...input.empty });
  const removals = input.tenantsKnown ? [...accepted.keys()].filter((name) => !states.has(name)) : [];
  return { states, removals, revisionHeld: undefined };
}

/** Nothing of a revision is published: the root's artifact says why, and each that cannot be served any more says that. */
export function holdAll(
  accepted: ReadonlyMap<string, AcceptedArtifact>,
  reason: 'RevisionHeld' | 'RevisionRefused',
  message: string,
): ReadonlyMap<string, PlannedState> {
  const lost = [...accepted]
    .filter(([, one]) => one.digest !== undefined && !one.isStored)
    .map(([name]) => [name, { state: 'held', reason: 'ArtifactLost', message: LOST }] as const);
  const root = accepted.get(ROOT_NAMESPACE);
  const rootLost = root?.digest !== undefined && !root.isStored ? ` ${LOST}` : '';
  return new Map<string, PlannedState>([
    ...lost,
    [ROOT_NAMESPACE, { state: 'held', reason, message: message + rootLost }],
  ]);
}

function holdFolder(violations: readonly Violation[], accepted: AcceptedArtifact | undefined): PlannedState {
  const isLost = accepted?.digest !== undefined && !accepted.isStored;
  const why = renderViolations(violations);
  if (isLost) return { state: 'held', reason: 'ArtifactLost', message: `${LOST}\n${why}` };
  const stays =
    accepted?.digest === undefined ? 'nothing was published from this folder before' : 'its last good content stays';
  return { state: 'held', reason: 'Held', message: `the folder is not accepted; ${stays}\n${why}` };
}

const LOST =
  'The archive of the last good content is lost from the volume and cannot be rebuilt from this revision: what runs stays as it is, ' +
  'and nothing can be applied again until the folder is accepted.';
