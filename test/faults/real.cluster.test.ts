import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Client, createClient } from '../../kube/client.ts';
import { realClock, realRandom } from '../../kube/clock.ts';
import type { KubeObject, Resource } from '../../kube/object.ts';
import { DATASOURCES, DATAVOLUMES } from '../../kubevirt/index.ts';
import { QUICK_TIMINGS } from '../../simulator/kubevirt/options.ts';
import { type Simulator, startKubeVirtSimulator } from '../../simulator/kubevirt/simulator.ts';
import { createSeededRandom } from '../../simulator/random.ts';
import { type AuditEvent, actingUser, isWrite } from '../cluster/audit.ts';
import { Processes } from '../cluster/processes.ts';
import { describeWithOwnCluster } from '../support/cluster.ts';
import { installSublet } from '../support/install.ts';
import { waitUntilQuiet } from '../support/quiet.ts';
import { openRealPlace } from './real.ts';
import { guestShutdown, ordered, powerCycle, suspended } from './scenarios/power.ts';
import { members, tree } from './scenarios/tenants.ts';
import type { Place, Scenario, Step } from './story.ts';

/** Each goes on where the ones before it ended. */
const TOLD: readonly Scenario<Place>[] = [ordered, powerCycle, members, guestShutdown, tree, suspended];
const SEED = Number(process.env.SUBLET_FAULTS_SEED ?? 1);
/** An operator that was killed is there again and done within this. */
const WITHIN_MS = 300_000;
/** The latest write of a step at which the operator is killed; most steps have more. */
const MOST_WRITES = 4;
const OPERATOR = 'system:serviceaccount:sublet-system:sublet-operator';

/** The crash sweep, sampled: the real API server, the operator as a process of its own, `kill -9` at a write of each step. */
describeWithOwnCluster('kill -9 on a real API server', { flux: true, audit: true }, (cluster) => {
  let processes: Processes;
  let folder: string;
  let place: Awaited<ReturnType<typeof openRealPlace>>;
  let simulator: Simulator;
  const clients: Client[] = [];

  beforeAll(async () => {
    folder = await realpath(await mkdtemp(path.join(tmpdir(), 'sublet-faults-')));
    processes = new Processes(folder);
    const deps = { clock: realClock, random: realRandom, log: pino({ level: 'silent' }) };
    const accounts = await installSublet(cluster());
    const admin = createClient({ ...deps, kubeConfig: cluster().kubeConfig });
    const played = createClient({ ...deps, kubeConfig: accounts.simulator });
    clients.push(admin, played);
    simulator = await startKubeVirtSimulator({ ...deps, client: played }, { timings: QUICK_TIMINGS });
    await createImage(admin);
    place = await openRealPlace({ ...deps, client: admin });
    const kubeconfig = path.join(folder, 'operator.kubeconfig');
    await writeFile(kubeconfig, accounts.operator.exportConfig(), { mode: 0o600 });
    await processes.start({
      name: 'operator',
      command: process.execPath,
      args: [path.resolve(import.meta.dirname, '../../cli/main.ts'), 'operator'],
      env: { KUBECONFIG: kubeconfig, SUBLET_OPERATOR_CONFIG: JSON.stringify(CONFIG) },
    });
    await untilWorking();
  });

  afterAll(async () => {
    await place?.stop();
    await simulator?.stop();
    for (const client of clients) await client.close();
    await processes?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it(`ends every step as it has to, seed ${SEED}`, { timeout: 1_800_000 }, async () => {
    const random = createSeededRandom(SEED);
    let kills = 0;
    for (const scenario of TOLD) {
      await scenario.given(place);
      await place.runUntilQuiet({ what: `${scenario.name}: the given is there` });
      for (const step of scenario.steps) {
        if (await tellStep(scenario, step, random.integer(1, MOST_WRITES))) kills += 1;
      }
    }
    expect(kills).toBeGreaterThan(TOLD.length);
  });

  it('made each child once', async () => {
    const { events } = await cluster().auditEvents();
    const created = new Map<string, number>();
    for (const { verb, objectRef, responseStatus, ...event } of events.filter(isOurs)) {
      const isCreate = responseStatus?.code === 201 && (verb === 'create' || verb === 'patch');
      if (!isCreate || objectRef?.subresource !== undefined || !ONCE.includes(objectRef?.resource ?? '')) continue;
      const name = `${objectRef?.resource} ${objectRef?.namespace}/${objectRef?.name ?? event.requestURI}`;
      created.set(name, (created.get(name) ?? 0) + 1);
    }
    expect(created.size).toBeGreaterThan(ONCE.length);
    expect([...created].filter(([, count]) => count !== 1)).toEqual([]);
  });

  it('writes nothing in a second pass', async () => {
    await place.runUntilQuiet({ what: 'all is at rest' });
    await waitUntilQuiet(cluster(), isOurs);
    const before = countStarts();
    await processes.kill('operator', 'SIGKILL');
    const { nextByte } = await cluster().auditEvents();
    await processes.startAgain('operator');
    await untilWorking(before);
    await place.runFor(SECOND_PASS_MS);
    const { events } = await cluster().auditEvents(nextByte);
    expect(events.filter(isOurs).map(({ verb, requestURI }) => `${verb} ${requestURI}`)).toEqual([]);
  });

  /** How often a controller began to work, over all starts of the operator. */
  const countStarts = (): number => processes.logTail('operator', LOG_BYTES).split('controller started').length - 1;
  const untilWorking = (before = 0): Promise<void> =>
    place.runUntil(() => countStarts() >= before + CONTROLLERS, { what: 'the operator works' });

  /** Whether the operator was killed before the step had come to its end. */
  async function tellStep(scenario: Scenario<Place>, step: Step<Place>, atWrite: number): Promise<boolean> {
    // Kubernetes keeps times in whole seconds: what is asked for now has to be later than what just ended.
    await place.runFor(SECOND_MS);
    const { nextByte } = await cluster().auditEvents();
    const claims = () => step.claims?.(place) ?? [];
    await step.act({ world: place, upgrade: () => Promise.reject(new Error('not told here')) });
    let killed = false;
    const isDone = (): boolean => claims().every(({ holds }) => holds);
    const deadline = Date.now() + WITHIN_MS;
    while (!killed && !isDone() && Date.now() < deadline) {
      const { events } = await cluster().auditEvents(nextByte);
      killed = events.filter(isOurs).length >= atWrite;
      if (!killed) await place.runFor(10);
    }
    if (killed) {
      await processes.kill('operator', 'SIGKILL');
      await processes.startAgain('operator');
    }
    const what = `${scenario.name}, "${step.does}", killed at write ${killed ? atWrite : 'none'}`;
    await place.runUntil(isDone, { withinMs: WITHIN_MS, what }).catch((error: unknown) => {
      const missing = claims().filter(({ holds }) => !holds);
      throw new Error(`${what}: ${JSON.stringify(missing)}\n${processes.logTail('operator')}`, { cause: error });
    });
    return killed;
  }
});

const ONCE: readonly string[] = ['virtualmachines', 'datavolumes', 'secrets', 'namespaces'];
const SECOND_PASS_MS = 4_000;
const SECOND_MS = 1_100;
const LOG_BYTES = 10_000_000;
/** Tenants, plans, quotas, desktops, tombstones, and the breaker. */
const CONTROLLERS = 6;

const CONFIG = {
  leaderElection: false,
  bindAddress: '127.0.0.1',
  port: 0,
  probe: { intervalSeconds: 1 },
  breaker: { minimum: 1_000 },
  // Counts of our own kinds are known to the quota controller only minutes after the CRDs were installed.
  objectCounts: { Customer: { pods: 100 }, Reseller: { pods: 100 } },
};

function isOurs(event: AuditEvent): boolean {
  return isWrite(event) && actingUser(event) === OPERATOR && (event.responseStatus?.code ?? 500) < 400;
}

async function createImage(admin: Client): Promise<void> {
  const apiVersion = 'cdi.kubevirt.io/v1beta1';
  const annotations = { 'sublet.dev/os': 'Linux', 'sublet.dev/first-boot': 'CloudInit' };
  const metadata = { name: 'ubuntu-24', namespace: 'sublet-images' };
  const source = { http: { url: 'https://images.example.com/ubuntu-24.img' } };
  const storage = { resources: { requests: { storage: '10Gi' } } };
  const create = (resource: Resource, object: object) => admin.create(resource, object as KubeObject);
  await create(DATAVOLUMES, { apiVersion, kind: 'DataVolume', metadata, spec: { source, storage } });
  const spec = { source: { pvc: metadata } };
  await create(DATASOURCES, { apiVersion, kind: 'DataSource', metadata: { ...metadata, annotations }, spec });
}
