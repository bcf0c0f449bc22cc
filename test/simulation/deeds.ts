import { RDPINSTANCES } from '../../crds/v1alpha1/resources.ts';
import { CONFIGMAPS } from '../../kube/builtin.ts';
import type { KubeObject } from '../../kube/object.ts';
import { VIRTUALMACHINES } from '../../kubevirt/index.ts';
import { ANNOTATION_CONFIRM } from '../../operator/breaker.ts';
import { ANNOTATION_GUEST } from '../../simulator/kubevirt/options.ts';
import type { Action, Step } from '../../simulator/scenario/steps.ts';
import type { Role, World } from './contract.ts';
import type { Disruptions } from './disruptions.ts';
import { createOrders, type Orders, saysSame } from './orders.ts';

/** Carries out what a scenario says. */
export type Deeds = {
  perform(action: Action): void;
  /** Nothing is asked for again and again any more. */
  pending(): number;
  /** Confirms what is held; false when nothing is. */
  confirm(): boolean;
  /** What is ordered through the Git write engine; undefined in worlds without. */
  readonly orders: Orders | undefined;
};

const GROUP = { name: 'people' };
/** How long a person waits before trying again what did not work. */
const AGAIN_MS = 300_000;

/** `files` is the branch as people mean it to be at that moment. */
export function createDeeds(world: World, disruptions: Disruptions, files: () => ReadonlyMap<string, string>): Deeds {
  const { admin, repository } = world;
  let pending = 0;
  /** The branch is not what people mean. */
  let astray = false;
  const orders = world.engine === undefined ? undefined : createOrders(world, world.engine, () => astray);

  /** What does not work now, because something has to be there first, is tried again. */
  const insist = (call: () => Promise<unknown>): void => {
    pending += 1;
    const attempt = (): void => {
      call().then(
        () => {
          pending -= 1;
        },
        () => void world.scheduler.schedule(GROUP, AGAIN_MS, attempt),
      );
    };
    attempt();
  };

  const confirm = (): boolean => {
    const tripped = findTripped(world);
    if (tripped !== undefined) {
      const body = { metadata: { annotations: { [ANNOTATION_CONFIRM]: tripped } } };
      insist(() => admin.patch(CONFIGMAPS, BREAKER, { type: 'merge', body }));
    }
    const held = !astray && isRevisionHeld(world);
    if (held) repository.confirm();
    return held || tripped !== undefined;
  };

  const kill = (role: Role, downMs: number): void => {
    world.kill(role);
    world.scheduler.schedule(GROUP, downMs, () => {
      if (world.running(role).length === 0) world.start(role);
    });
  };

  const perform = ({ what, step }: Action): void => {
    if (disruptions.begin(step)) return;
    switch (step.type) {
      case 'commit':
        if (orders !== undefined) {
          orders.order(what, step.changes);
          return;
        }
        for (const [path, text] of Object.entries(step.changes)) {
          if (text === null) repository.remove(path);
          else repository.write(path, text);
        }
        repository.push(what);
        return;
      case 'apply':
        insist(() => admin.apply(RDPINSTANCES, step.object, { fieldManager: 'kubectl', force: true }));
        return;
      case 'delete':
        insist(() => admin.delete(RDPINSTANCES, step.key));
        return;
      case 'guest':
        playGuest(world, step, insist);
        return;
      case 'confirm':
        confirm();
        return;
      case 'force-push': {
        const commit = repository.history()[step.back];
        if (commit === undefined) return;
        astray = true;
        repository.forcePush(commit);
        return;
      }
      case 'empty-repository':
        astray = true;
        repository.remove('tenants');
        repository.push(what);
        return;
      case 'remove-branch':
        astray = true;
        repository.removeBranch();
        return;
      case 'restore-repository':
        astray = false;
        bringBack(repository);
        if (restore(repository, files())) repository.push(what);
        return;
      case 'kill':
        kill(step.role, step.downMs);
        return;
      case 'lose-node':
        world.crashNode(step.node);
        return;
      default:
        return;
    }
  };
  return { perform, confirm, orders, pending: () => pending + (orders?.pending() ?? 0) };
}

function playGuest(
  world: World,
  { key, does }: Extract<Step, { type: 'guest' }>,
  insist: (call: () => Promise<unknown>) => void,
): void {
  const machine = { namespace: key.namespace, name: `rdp-${key.name}` };
  if (does === 'hang' || does === 'answer') {
    world.setGuestAnswers(`${machine.namespace}/${machine.name}`, does === 'answer');
    return;
  }
  const body = { metadata: { annotations: { [ANNOTATION_GUEST]: does } } };
  const act = () => world.admin.patch(VIRTUALMACHINES, machine, { type: 'merge', body });
  if (does === 'shutdown') insist(act);
  else act().catch(() => {});
}

/** The branch as it was before it went. */
function bringBack(repository: World['repository']): void {
  const [last] = repository.history();
  if (repository.head() === '' && last !== undefined) repository.forcePush(last);
}

/** Makes the checkout what people mean; false when it is that already. */
function restore(repository: World['repository'], files: ReadonlyMap<string, string>): boolean {
  let changed = false;
  for (const path of repository.paths('tenants/')) {
    if (files.has(path)) continue;
    repository.remove(path);
    changed = true;
  }
  for (const [path, text] of files) {
    if (saysSame(repository.read(path), text)) continue;
    repository.write(path, text);
    changed = true;
  }
  return changed;
}

const BREAKER = { namespace: 'sublet-system', name: 'sublet-breaker' };

function findTripped(world: World): string | undefined {
  type Record = KubeObject & { readonly data?: Readonly<{ id?: string; confirmedAt?: string }> };
  const data = world.peek<Record>('configmaps', `${BREAKER.namespace}/${BREAKER.name}`)?.data;
  return data?.confirmedAt === undefined ? data?.id : undefined;
}

/** What is held is what everybody pushed last; nobody confirms another revision. */
function isRevisionHeld(world: World): boolean {
  type Held = KubeObject & { readonly status?: { readonly conditions?: readonly { readonly reason: string }[] } };
  type Fetched = KubeObject & { readonly status?: { readonly artifact?: { readonly revision: string } } };
  const root = world.peek<Held>('externalartifacts.source.toolkit.fluxcd.io', 'sublet-fleet/sublet-root');
  if (root?.status?.conditions?.some(({ reason }) => reason === 'RevisionHeld') !== true) return false;
  const fleet = world.peek<Fetched>('gitrepositories.source.toolkit.fluxcd.io', 'sublet-fleet/fleet');
  return fleet?.status?.artifact?.revision.endsWith(`:${world.repository.head()}`) ?? false;
}
