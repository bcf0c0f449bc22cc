import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type AuditEvent, isWrite } from '../cluster/audit.ts';
import { describeWithOwnCluster } from '../support/cluster.ts';
import { waitUntilQuiet } from '../support/quiet.ts';
import { startWorld, type World } from '../support/world.ts';
import { createStage, isOurWrite, type Stage } from './stage.ts';
import { renderDesktop, renderTenant } from './story.ts';

const SEEDS = Array.from({ length: 10 }, (_, at) => at + 1);
const SCENARIO_MS = 600_000;
/** What others do after our programs, such as Flux writing down what it applied, may come later. */
const SAME_STATE_MS = 180_000;
const POLL_MS = 5;

const KINDS = [
  { group: '', version: 'v1', plural: 'namespaces' },
  { group: '', version: 'v1', plural: 'configmaps' },
  { group: '', version: 'v1', plural: 'secrets' },
  { group: '', version: 'v1', plural: 'services' },
  { group: '', version: 'v1', plural: 'serviceaccounts' },
  { group: '', version: 'v1', plural: 'resourcequotas' },
  { group: '', version: 'v1', plural: 'persistentvolumeclaims' },
  { group: 'networking.k8s.io', version: 'v1', plural: 'networkpolicies' },
  { group: 'rbac.authorization.k8s.io', version: 'v1', plural: 'roles' },
  { group: 'rbac.authorization.k8s.io', version: 'v1', plural: 'rolebindings' },
  { group: 'sublet.dev', version: 'v1alpha1', plural: 'tenants' },
  { group: 'sublet.dev', version: 'v1alpha1', plural: 'plans' },
  { group: 'sublet.dev', version: 'v1alpha1', plural: 'rdpinstances' },
  { group: 'kubevirt.io', version: 'v1', plural: 'virtualmachines' },
  { group: 'cdi.kubevirt.io', version: 'v1beta1', plural: 'datavolumes' },
  { group: 'kustomize.toolkit.fluxcd.io', version: 'v1', plural: 'kustomizations' },
  { group: 'source.toolkit.fluxcd.io', version: 'v1', plural: 'externalartifacts' },
] as const;

/** Kills both programs with SIGKILL at seeded writes of the same story, and compares where it ends. */
describeWithOwnCluster('crashes', { flux: true, audit: true }, (cluster) => {
  let world: World | undefined;
  let stage: Stage;
  let calm: Run;

  beforeAll(async () => {
    world = await startWorld({
      cluster: cluster(),
      // A killed leader's Lease would keep its successor waiting; that wait is tested with the runtime.
      operator: { leaderElection: false, breaker: { minimum: 1_000 } },
      source: { leaderElection: { enabled: false }, shrink: { least: 1_000, percent: 100 } },
      simulator: ['--quick'],
    });
    stage = createStage(world);
    await writeProvider(stage);
    await world.push('Write the price list');
    await stage.condition('Plan', ['sublet-root', 'desk'], { status: 'True' });
    calm = await tell(stage, []);
  });

  afterAll(() => world?.stop());

  it('writes and makes one VM when nothing is killed', () => {
    expect(calm.writes).toBeGreaterThan(30);
    expect(calm.created).toEqual(ONE_OF_EACH);
  });

  for (const seed of SEEDS) {
    it(`ends in the same state after SIGKILL, seed ${seed}`, async () => {
      const random = seeded(seed);
      const at = () => 1 + Math.floor(random() * (calm.writes - 1));
      const kills = [
        { role: 'operator', afterWrites: at() },
        { role: 'source', afterWrites: at() },
      ] as const;
      const run = await tell(stage, kills, calm.state);
      expect(run.killed, JSON.stringify(kills)).toBe(kills.length);
      expect(run.state, JSON.stringify(kills)).toEqual(calm.state);
      expect(run.created, JSON.stringify(kills)).toEqual(ONE_OF_EACH);
    });
  }
});

type Kill = { readonly role: 'operator' | 'source'; readonly afterWrites: number };

type Run = {
  /** Accepted writes of both programs. */
  readonly writes: number;
  readonly killed: number;
  readonly state: unknown;
  /** How often each stateful child was created. */
  readonly created: Readonly<Record<string, number>>;
};

const ONE_OF_EACH = {
  'datavolumes/rdp-desk-1': 1,
  'secrets/rdp-desk-1': 1,
  'virtualmachines/rdp-desk-1': 1,
};

async function writeProvider({ world }: Stage): Promise<void> {
  const plan = (name: string, namespace: string, spec: Readonly<Record<string, unknown>>) =>
    world.write(
      `${namespace}/${name}.yaml`,
      JSON.stringify({
        apiVersion: 'sublet.dev/v1alpha1',
        kind: 'Plan',
        metadata: { name },
        spec: { currency: 'USD', title: name, ...spec },
      }),
    );
  await plan('free', 'sublet-root', { offers: 'Tenant' });
  await plan('desk', 'sublet-root', {
    offers: 'Desktop',
    desktop: { vcpu: 2, memory: '4Gi', storage: '50Gi', images: ['ubuntu-24'] },
  });
}

/**
 * Orders a customer with a desktop in one push, kills on the way, waits for Ready, looks at everything, until it is as `wanted` or after a while, and sweeps it.
 */
async function tell(stage: Stage, kills: readonly Kill[], wanted?: unknown): Promise<Run> {
  const { world } = stage;
  const { nextByte: from } = await world.cluster.auditEvents(0);
  const spec = { id: 'carl-1', plan: 'free', source: { type: 'Fleet' }, deletion: { policy: 'Delete', graceDays: 0 } };
  await world.write(
    'sublet-root/carl.yaml',
    renderTenant('carl', { ...spec, members: [{ kind: 'User', name: 'oidc:carl', role: 'Owner' }] }),
  );
  const desktop = { plan: 'desk', username: 'carl', deletion: { policy: 'Delete', graceDays: 0 } };
  await world.write('t-carl/desk-1.yaml', renderDesktop('desk-1', desktop));
  const killing = killOnTheWay(stage, kills, from);
  await world.push('Order a customer with a desktop');
  await stage.condition('RDPInstance', ['t-carl', 'desk-1'], { status: 'True' }, SCENARIO_MS);
  const killed = await killing.stop();
  await stage.condition('RDPInstance', ['t-carl', 'desk-1'], { status: 'True' }, SCENARIO_MS);
  await stage.settled();
  await waitUntilQuiet(world.cluster, isLastingWrite);
  const state = await lookUntil(stage, wanted);
  const { events } = await world.cluster.auditEvents(from);

  await world.remove('t-carl');
  await world.remove('sublet-root/carl.yaml');
  await world.push('Remove the customer');
  await stage.gone('Namespace', '', 't-carl', SCENARIO_MS);
  await stage.settled();
  return { writes: events.filter(isAcceptedWrite).length, killed, state, created: countCreates(events) };
}

/** Everything there is, once it is as wanted, or the same twice in a row where nothing is. */
async function lookUntil({ world }: Stage, wanted: unknown): Promise<unknown> {
  const look = async () => mask(await world.cluster.dump(KINDS));
  const deadline = Date.now() + SAME_STATE_MS;
  let last = wanted;
  for (;;) {
    const state = await look();
    if (isDeepStrictEqual(state, last) || Date.now() > deadline) return state;
    if (wanted === undefined) last = state;
    await new Promise((resolve) => setTimeout(resolve, 2_000));
  }
}

/**
 * Follows the audit log and kills each program once as many writes were accepted as its kill says; one that was not reached when
 * the desktop is Ready is killed then.
 */
function killOnTheWay({ world }: Stage, kills: readonly Kill[], from: number) {
  const left = [...kills];
  let ended = false;
  const carryOut = async (kill: Kill): Promise<void> => {
    left.splice(left.indexOf(kill), 1);
    await world.kill(kill.role, 'SIGKILL');
    await world.startAgain(kill.role);
  };
  const follow = async (): Promise<number> => {
    let position = from;
    let writes = 0;
    while (!ended && left.length > 0) {
      const { events, nextByte } = await world.cluster.auditEvents(position);
      position = nextByte;
      writes += events.filter(isAcceptedWrite).length;
      for (const kill of left.filter(({ afterWrites }) => writes >= afterWrites)) await carryOut(kill);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    for (const kill of [...left]) await carryOut(kill);
    return kills.length - left.length;
  };
  const following = follow();
  return {
    stop: (): Promise<number> => {
      ended = true;
      return following;
    },
  };
}

/** By whomever: Flux writes down what it applied after our programs are done. */
function isLastingWrite(event: AuditEvent): boolean {
  return isWrite(event) && event.objectRef?.resource !== 'leases' && event.objectRef?.resource !== 'events';
}

function isAcceptedWrite(event: AuditEvent): boolean {
  return isOurWrite(event) && (event.responseStatus?.code ?? 500) < 400;
}

function countCreates(events: readonly AuditEvent[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const event of events) {
    const key = `${event.objectRef?.resource}/${event.objectRef?.name}`;
    const isCreate = event.responseStatus?.code === 201 && event.objectRef?.subresource === undefined;
    if (isCreate && isOurWrite(event) && key in ONE_OF_EACH) counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}

/** What differs between two equal runs beyond the dump's own: addresses, ports, passwords, the commit, and Flux's diary. */
function mask(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return value.map((item) => mask(item));
  if (typeof value !== 'object' || value === null) {
    if (key === 'nodePort' || key === 'healthCheckNodePort') return '<port>';
    if (typeof value !== 'string') return value;
    // Kubernetes counts when it comes to it.
    if (MASKED.has(key) || key.startsWith('count/')) return `<${key}>`;
    return value.replaceAll(/\b(\d{1,3}\.){3}\d{1,3}\b/g, '<ip>').replaceAll(/\b\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>');
  }
  const entries = Object.entries(value).filter(([name]) => name !== 'history');
  return Object.fromEntries(entries.map(([name, inner]) => [name, mask(inner, name)]));
}

const MASKED: ReadonlySet<string> = new Set([
  'password',
  'userdata',
  'org.opencontainers.image.revision',
  'lastAppliedOriginRevision',
  'reconcile.fluxcd.io/requestedAt',
  'sublet.dev/applied-hash',
  'cdi.kubevirt.io/storage.createdForDataVolume',
  'volumeName',
  'nodeName',
  'reconcileID',
  'lastHandledReconcileAt',
  'volume.kubernetes.io/selected-node',
]);

/** mulberry32: a small seeded generator, so that a failing run can be repeated by its seed. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
