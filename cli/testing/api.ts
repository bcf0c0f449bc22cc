import { createTestApi, desktop, plan, ROOT_PLANS, type TestApi, user } from '../../api/testing/testapi.ts';
import type { Outcome } from '../../gitops/journal.ts';

export type RunningApi = {
  readonly api: TestApi;
  readonly url: string;
  /** A token of that user, as the issuer gives it. */
  tokenOf(name: string): Promise<string>;
  /** What becomes of changes from now on: they are moved through these states, one after the other. */
  outcomes: readonly Outcome[];
  stop(): Promise<void>;
};

const COMMIT = 'c'.repeat(40);
const TICK_MS = 20;

export const GOES_WELL: readonly Outcome[] = [
  { state: 'Committed', commit: COMMIT },
  { state: 'Applied' },
  { state: 'Ready' },
];

/** The real API on loopback, over a reseller acme, its customer bob and a desktop of bob's; anna may do everything in both. What Flux and the operator would do to changes is scripted. */
export async function startApi(): Promise<RunningApi> {
  const api = await createTestApi({ database: true });
  for (const object of ROOT_PLANS) api.put(object);
  api.put(
    plan('sublet-root', 'performance', {
      price: [
        {
          name: 'base',
          type: 'Recurring',
          per: 'Resource',
          accrues: 'Exists',
          recurring: { amount: '28.00', interval: 'Month' },
        },
      ],
      desktop: { vcpu: 4, memory: '8Gi', storage: '100Gi', images: ['ubuntu-24'] },
    }),
  );
  api.sell('acme', { type: 'Reseller', members: [user('anna', 'Owner')], source: { type: 'Fleet' } });
  api.put(
    plan('t-acme', 'pro', {
      basedOn: 'performance',
      price: [
        {
          name: 'base',
          type: 'Recurring',
          per: 'Resource',
          accrues: 'Exists',
          recurring: { amount: '39.00', interval: 'Month' },
        },
      ],
    }),
  );
  api.put(plan('t-acme', 'studio', { offers: 'Tenant' }));
  api.sell('acme--bob', {
    plan: 'studio',
    members: [user('anna', 'Owner'), user('vera', 'Viewer')],
    source: { type: 'Fleet' },
  });
  api.put(
    desktop(
      't-acme--bob',
      'anna-desk',
      { plan: 'pro' },
      {
        address: '198.51.100.7',
        port: 3_389,
        conditions: [
          {
            type: 'Ready',
            status: 'True',
            reason: 'Succeeded',
            message: 'it answers RDP',
            lastTransitionTime: '2026-01-01T00:00:00Z',
          },
        ],
      },
    ),
  );
  const url = await api.app.listen({ host: '127.0.0.1', port: 0 });
  const running: RunningApi = {
    api,
    url,
    tokenOf: (name) => api.issuer.sign({ sub: name }),
    outcomes: GOES_WELL,
    stop: async () => {
      clearInterval(timer);
      // Its last calls find the database as it was.
      await ticking;
      await api.close();
    },
  };
  let ticking: Promise<void> | undefined;
  const timer = setInterval(() => {
    ticking ??= tick(running).finally(() => {
      ticking = undefined;
    });
  }, TICK_MS);
  return running;
}

/** Lets the API's time pass, and each open change get one step further; to what is wanted when its turn comes, and not when the tick began. */
async function tick(running: RunningApi): Promise<void> {
  const { api } = running;
  await api.clock.advance(TICK_MS);
  for (const repository of await api.journal.waiting(['Accepted', 'Committed', 'Applied'])) {
    const lease = await api.journal.lease(repository, 'test', 60_000);
    if (lease === undefined) continue;
    const open = await api.journal.pending(repository, ['Accepted', 'Committed', 'Applied'], 100);
    const { outcomes } = running;
    const next = open.flatMap(({ id, state }) => {
      const outcome = outcomes[outcomes.findIndex((one) => one.state === state) + 1];
      return outcome === undefined ? [] : [[id, outcome] as const];
    });
    await api.journal.record(lease, new Map(next));
  }
}
