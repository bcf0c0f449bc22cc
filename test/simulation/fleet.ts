import type { MemoryRemote } from '../../git/memory/remote.ts';
import type { Client } from '../../kube/client.ts';
import { ANNOTATION_REQUESTED_AT, GITREPOSITORIES } from '../../model/flux.ts';
import { FLEET_NAMESPACE } from '../../model/names.ts';
import type { Store } from '../../simulator/apiserver/store.ts';
import type { GitRepository } from '../../simulator/flux/resources.ts';
import { CONFIRM_ANNOTATION } from '../../source/main.ts';
import { find } from './peek.ts';
import type { Recorder } from './recorder.ts';
import { createFleetRepository, type RepositoryParts } from './repository.ts';

export type FleetDeps = {
  readonly remote: MemoryRemote;
  readonly admin: Client;
  readonly store: Store;
  readonly recorder: Recorder;
  readonly nowMs: () => number;
  /** False: nobody listens to what is pushed. */
  readonly flux: boolean;
};

/** The fleet repository, connected to what it tells: the trail of each move, and Flux as a forge's webhook does. */
export function createFleet(deps: FleetDeps): Pick<RepositoryParts, 'repository' | 'isReachable'> {
  const { remote, admin, store, recorder, nowMs, flux } = deps;

  const annotate = (annotations: Readonly<Record<string, string>>): void => {
    if (!flux) return;
    const key = { namespace: FLEET_NAMESPACE, name: 'fleet' };
    const call = admin.patch(GITREPOSITORIES, key, { type: 'merge', body: { metadata: { annotations } } });
    // Over when it returns, and what it says is of no interest.
    call.catch(() => {});
  };
  const notify = (): void => annotate({ [ANNOTATION_REQUESTED_AT]: new Date(nowMs()).toISOString() });
  const confirm = (): void => {
    const fetched = find<GitRepository>(store, 'gitrepositories.source.toolkit.fluxcd.io', `${FLEET_NAMESPACE}/fleet`);
    annotate({ [CONFIRM_ANNOTATION]: fetched?.status?.artifact?.revision ?? '' });
  };
  const tell = (revision: string, confirmed: boolean): void => {
    recorder.emit({ type: 'repository', atMs: nowMs(), revision, declared: declared(), confirmed });
  };
  const { repository, isReachable, declared } = createFleetRepository(remote, nowMs, {
    notify,
    confirm: () => {
      tell(repository.head(), true);
      confirm();
    },
  });
  remote.onMove((_, to) => {
    // A branch that is gone says nothing of what shall be there.
    if (to !== undefined) tell(to, false);
    notify();
  });
  return { repository, isReachable };
}
