import { pino } from 'pino';
import type { Plan } from '../../crds/v1alpha1/plan.ts';
import type { Tenant } from '../../crds/v1alpha1/tenant.ts';
import { NAMESPACES } from '../../kube/builtin.ts';
import type { Controller } from '../../kube/controller.ts';
import { createMetrics } from '../../kube/metrics.ts';
import { type KubeObject, objectKey } from '../../kube/object.ts';
import { createFakeClock, createFakeRandom, type FakeClock, settle } from '../../kube/testing/fakeclock.ts';
import { API_VERSION } from '../../model/group.ts';
import { FLEET_NAMESPACE, IMAGES_NAMESPACE, ROOT_NAMESPACE, SYSTEM_NAMESPACE } from '../../model/names.ts';
import { OperatorConfig } from '../config.ts';
import type { OperatorContext } from '../context.ts';
import { createBreakerController } from '../controllers/breaker/controller.ts';
import { createPlanController } from '../controllers/plan/controller.ts';
import { createQuotaController } from '../controllers/quota/controller.ts';
import { createTenantController } from '../controllers/tenant/controller.ts';
import { createTombstoneController } from '../controllers/tombstone/controller.ts';
import { createContext } from '../operator.ts';
import { createTestApiServer, type TestApiServer } from './apiserver.ts';

export const DAY_MS = 86_400_000;

/** The operator's tenants, plans, quotas, tombstones and breaker on the embedded API server and a clock that stands still. */
export type Harness = {
  readonly server: TestApiServer;
  readonly clock: FakeClock;
  readonly context: OperatorContext;
  readonly controllers: readonly Controller[];
  /** Starts the caches without any controller, for tests that call one part by hand. */
  sync(): Promise<void>;
  /** Starts what is not started yet and works until nothing is left to do; retries that back off are waited for. */
  converge(): Promise<void>;
  /** Sets the clock forward and has everything looked at again, as timers would. */
  pass(ms: number): Promise<void>;
  /** Stops this operator and returns another on the same API server and clock. */
  restart(): Promise<Harness>;
  /** A second operator on the same API server and clock, which does not know of this one. */
  another(): Harness;
  stop(): Promise<void>;
};

export function createHarness(settings: Readonly<Record<string, unknown>> = {}): Harness {
  const clock = createFakeClock(Date.UTC(2026, 10, 21, 9));
  const server = createTestApiServer(clock);
  for (const name of [ROOT_NAMESPACE, SYSTEM_NAMESPACE, FLEET_NAMESPACE, IMAGES_NAMESPACE]) {
    server.put(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  }
  return start(server, clock, settings);
}

function start(server: TestApiServer, clock: FakeClock, settings: Readonly<Record<string, unknown>>): Harness {
  const deps = {
    client: server.client,
    clock,
    random: createFakeRandom(),
    log: pino({ level: process.env.SUBLET_TEST_LOG ?? 'silent' }),
    metrics: createMetrics(),
    dial: () => Promise.reject(new Error('nothing is dialled in these tests')),
  };
  const context = createContext(deps, OperatorConfig.parse(settings));
  const controllers = [
    createTenantController(context),
    createPlanController(context),
    createQuotaController(context),
    createTombstoneController(context),
    createBreakerController(context),
  ];
  const caches = Object.values(context.informers);
  const stopped = new AbortController();
  const running: Promise<void>[] = [];
  let synced = false;
  let started = false;

  /** Where a kind is not served, the controllers of its objects do not begin. */
  const isBusy = (): boolean =>
    caches.every((cache) => cache.hasSynced()) &&
    controllers.some(({ pending }) => pending().ready + pending().working > 0);

  const harness: Harness = {
    server,
    clock,
    context,
    controllers,
    async sync() {
      if (!synced) for (const cache of caches) running.push(cache.start(stopped.signal));
      synced = true;
      while (caches.some((cache) => cache.state() === 'syncing')) await settle();
      await settle();
    },
    async converge() {
      await harness.sync();
      if (!started) for (const controller of controllers) running.push(controller.start(stopped.signal));
      started = true;
      for (let round = 0; round < 5; round++) {
        do await settle(8);
        while (isBusy());
        if (round < 4) await clock.advance(1_000);
      }
    },
    async pass(ms) {
      clock.step(ms);
      const [tenantController, planController, quotaController, tombstoneController, breakerController] = controllers;
      const { tenants, plans, quotas, namespaces } = context.informers;
      for (const object of tenants.list()) tenantController?.enqueue(objectKey(object));
      for (const object of plans.list()) planController?.enqueue(objectKey(object));
      for (const object of quotas.list()) quotaController?.enqueue(objectKey(object));
      for (const object of namespaces.list()) tombstoneController?.enqueue(objectKey(object));
      breakerController?.enqueue('sublet-breaker');
      await harness.converge();
    },
    async restart() {
      await harness.stop();
      return start(server, clock, settings);
    },
    another: () => start(server, clock, settings),
    async stop() {
      stopped.abort(new Error('the test is over'));
      await Promise.all(running);
    },
  };
  return harness;
}

/** A Tenant as a person writes it; `id` is made of the name. */
export function tenant(namespace: string, name: string, spec: Partial<Tenant['spec']> = {}): Tenant & KubeObject {
  const deletion = { policy: 'Retain', graceDays: 7 } as const;
  return {
    apiVersion: API_VERSION,
    kind: 'Tenant',
    metadata: { name, namespace },
    spec: { id: `${name}-id`, plan: 'team', type: 'Customer', deletion, ...spec },
  };
}

/** A Plan that offers Tenant. */
export function tenantPlan(
  namespace: string,
  name: string,
  limits?: Readonly<Record<string, string | number>>,
): Plan & KubeObject {
  return {
    apiVersion: API_VERSION,
    kind: 'Plan',
    metadata: { name, namespace },
    spec: { title: name, offers: 'Tenant', currency: 'USD', price: [], ...(limits === undefined ? {} : { limits }) },
  } as Plan & KubeObject;
}

export function quota(
  namespace: string,
  name: string,
  hard: Readonly<Record<string, string | number>>,
): KubeObject & { readonly spec: unknown } {
  return { apiVersion: API_VERSION, kind: 'Quota', metadata: { name, namespace }, spec: { hard } };
}
