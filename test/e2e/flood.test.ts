import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWithOwnCluster } from '../support/cluster.ts';
import { startWorld, type World } from '../support/world.ts';
import { createStage, type Live, type Stage } from './stage.ts';
import { renderDesktop, renderTenant } from './story.ts';

const TENANTS = 10;
const DESKTOPS = 200;
const MINUTE_MS = 60_000;

/** Many orders in one push: every desktop becomes Ready, and how long that took is printed. */
describeWithOwnCluster('a flood of orders', { flux: true, audit: true }, (cluster) => {
  let world: World | undefined;
  let stage: Stage;

  beforeAll(async () => {
    world = await startWorld({ cluster: cluster(), simulator: ['--quick'] });
    stage = createStage(world);
  });

  afterAll(() => world?.stop());

  it(
    `makes ${DESKTOPS} desktops of ${TENANTS} tenants, ordered in one push, Ready`,
    async () => {
      await writeOrders(stage);
      const pushedAtMs = Date.now();
      await stage.world.push(`Order ${DESKTOPS} desktops`);
      const desktops = await stage.eventually(
        'all desktops are there and Ready',
        async () => {
          const found = await listDesktops(stage);
          return found.filter(isReady).length === DESKTOPS ? found : undefined;
        },
        30 * MINUTE_MS,
      );
      const seconds = desktops.map((desktop) => (readyAtMs(desktop) - pushedAtMs) / 1_000).sort((a, b) => a - b);
      const at = (share: number) => seconds[Math.ceil(share * seconds.length) - 1]?.toFixed(1);
      console.log(
        `${desktops.filter(isReady).length} of ${DESKTOPS} desktops Ready; from push to Ready p50 ${at(0.5)} s, p95 ${at(0.95)} s, last ${at(1)} s`,
      );
      const { events } = await stage.world.cluster.auditEvents(0);
      const created = events.filter(
        ({ objectRef, responseStatus, verb }) =>
          verb === 'create' && objectRef?.resource === 'virtualmachines' && responseStatus?.code === 201,
      );
      expect(new Set(created.map(({ objectRef }) => `${objectRef?.namespace}/${objectRef?.name}`)).size).toBe(DESKTOPS);
      expect(created).toHaveLength(DESKTOPS);
      const addresses = desktops.map(({ status }) => String(status?.address));
      expect(new Set(addresses).size).toBe(DESKTOPS);
      expect(await stage.secondPass(), 'writes of a second pass').toEqual([]);
    },
    60 * MINUTE_MS,
  );
});

async function writeOrders({ world }: Stage): Promise<void> {
  const plan = (name: string, spec: Readonly<Record<string, unknown>>) =>
    world.write(
      `sublet-root/${name}.yaml`,
      JSON.stringify({
        apiVersion: 'sublet.dev/v1alpha1',
        kind: 'Plan',
        metadata: { name },
        spec: { title: name, currency: 'USD', ...spec },
      }),
    );
  await plan('free', { offers: 'Tenant' });
  await plan('desk', {
    offers: 'Desktop',
    desktop: { vcpu: 2, memory: '4Gi', storage: '50Gi', images: ['ubuntu-24'] },
  });
  for (let tenant = 0; tenant < TENANTS; tenant++) {
    const name = `team-${tenant}`;
    await world.write(
      `sublet-root/${name}.yaml`,
      renderTenant(name, { id: name, plan: 'free', source: { type: 'Fleet' } }),
    );
    for (let desktop = 0; desktop < DESKTOPS / TENANTS; desktop++) {
      await world.write(`t-${name}/desk-${desktop}.yaml`, renderDesktop(`desk-${desktop}`, { plan: 'desk' }));
    }
  }
}

async function listDesktops(stage: Stage): Promise<readonly Live[]> {
  const body = await stage.world.cluster.admin.ask('GET', '/apis/sublet.dev/v1alpha1/rdpinstances');
  return (body as { readonly items: readonly Live[] }).items;
}

function isReady({ status }: Live): boolean {
  return status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') === true;
}

function readyAtMs({ status }: Live): number {
  const timings = status?.timings as { readonly readyAt?: string } | undefined;
  return Date.parse(timings?.readyAt ?? '');
}
