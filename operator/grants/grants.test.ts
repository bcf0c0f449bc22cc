import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PLANS, QUOTAS, TENANTS } from '../../crds/v1alpha1/resources.ts';
import type { Tenant } from '../../crds/v1alpha1/tenant.ts';
import { CONFIGMAPS, NAMESPACES } from '../../kube/builtin.ts';
import type { KubeObject } from '../../kube/object.ts';
import { settle } from '../../kube/testing/fakeclock.ts';
import { ANNOTATION_HELD, ANNOTATION_REMOVED_AT, LABEL_OWNER_KIND, LABEL_OWNER_NAME } from '../../model/labels.ts';
import { type Amounts, LIMIT_NAMES, renderShortfall } from '../../model/limits.ts';
import type { ConfigMap } from '../context.ts';
import { createHarness, type Harness, quota, tenant, tenantPlan } from '../testing/harness.ts';
import type { Answer } from './grants.ts';

const signal = new AbortController().signal;
const RECORD = 't-acme/sublet-grants';

let harness: Harness;
beforeEach(async () => {
  harness = createHarness();
  harness.server.put(PLANS, tenantPlan('sublet-root', 'team', { vcpu: 16, desktops: 10 }));
  harness.server.put(TENANTS, tenant('sublet-root', 'acme', { type: 'Reseller' }));
  await harness.converge();
  harness.server.writes.length = 0;
});
afterEach(() => harness.stop());

const ensure = (name: string, used: Amounts, operator = harness) =>
  operator.context.grants.ensure({ namespace: 't-acme', key: `desktops/${name}`, used }, signal);
const desktop = (vcpu: bigint): Amounts => ({ desktops: 1n, vcpu });
const record = () => harness.server.get<ConfigMap>(CONFIGMAPS, RECORD);
const writes = () => harness.server.writes.filter(({ kind }) => kind === 'ConfigMap').map(({ verb }) => verb);
const text = (answer: Answer) => (answer.granted ? 'granted' : renderShortfall(answer.shortfall));

describe('a grant', () => {
  it('is recorded before it is answered, in a record that is ours', async () => {
    expect(await ensure('desk', desktop(4n))).toEqual({ granted: true });
    expect(record()?.data).toEqual({ 'desktops.desk': '{"used":{"vcpu":"4","desktops":"1"},"allotted":{}}' });
    expect(record()?.metadata.labels).toMatchObject({ [LABEL_OWNER_KIND]: 'Tenant', [LABEL_OWNER_NAME]: 'acme' });
  });

  it('costs no call when it is recorded already', async () => {
    await ensure('desk', desktop(4n));
    await ensure('desk', desktop(4n));
    expect(writes()).toEqual(['create']);
  });

  it('is refused with the numbers and writes nothing', async () => {
    await ensure('one', desktop(14n));
    const answer = await ensure('two', desktop(4n));
    expect(answer).toMatchObject({ granted: false, held: false });
    expect(text(answer)).toBe('vcpu: asked 4, used 14 of 16');
    expect(writes()).toEqual(['create']);
  });

  it('that grows beyond what is left keeps what it holds', async () => {
    await ensure('one', desktop(10n));
    await ensure('two', desktop(4n));
    const answer = await ensure('two', desktop(8n));
    expect(answer).toMatchObject({ granted: false, held: true });
    expect(text(answer)).toBe('vcpu: asked 8, used 10 of 16');
    expect(harness.context.grants.recorded('t-acme', 'desktops/two')?.used.vcpu).toBe(4n);
  });

  it('may always shrink, also where the limit was lowered below what runs', async () => {
    await ensure('one', desktop(10n));
    await ensure('two', desktop(4n));
    harness.server.put(QUOTAS, quota('sublet-root', 'acme', { vcpu: 6 }));
    await harness.converge();
    expect(text(await ensure('one', desktop(10n)))).toBe('granted');
    expect(text(await ensure('one', desktop(8n)))).toBe('granted');
    expect(text(await ensure('one', desktop(9n)))).toBe('vcpu: asked 9, used 4 of 6');
    expect(text(await ensure('new', desktop(1n)))).toBe('vcpu: asked 1, used 12 of 6');
  });

  it('gives back its share once it is released; releasing nothing costs no call', async () => {
    await ensure('one', desktop(16n));
    await harness.context.grants.release({ namespace: 't-acme', key: 'desktops/one' }, signal);
    await harness.context.grants.release({ namespace: 't-acme', key: 'desktops/one' }, signal);
    expect(writes()).toEqual(['create', 'update']);
    expect(text(await ensure('two', desktop(16n)))).toBe('granted');
  });

  it('is refused in every name while the Plan is gone, and what runs stays', async () => {
    await ensure('one', desktop(4n));
    harness.server.remove(PLANS, 'sublet-root/team');
    await harness.converge();
    expect(text(await ensure('two', desktop(1n)))).toBe('vcpu: asked 1, used 4 of 0; desktops: asked 1, used 1 of 0');
    expect(text(await ensure('one', desktop(4n)))).toBe('granted');
  });

  it('waits for the tenant where the namespace has none', async () => {
    const ask = { namespace: 'default', key: 'desktops/desk', used: desktop(1n) };
    await expect(harness.context.grants.ensure(ask, signal)).rejects.toThrow(
      'namespace default has no tenant to record grants for',
    );
  });
});

describe('many asks at once', () => {
  it('share a write and never pass the limit; the first come are served', async () => {
    const answers = await Promise.all(Array.from({ length: 9 }, (_, at) => ensure(`desk${at}`, desktop(4n))));
    expect(answers.map(({ granted }) => granted)).toEqual([true, true, true, true, false, false, false, false, false]);
    expect(harness.context.grants.totals('t-acme').used.vcpu).toBe(16n);
    expect(writes()).toEqual(['create', 'update']);
  });

  it('of two operators that both believe they lead, are all exact', async () => {
    const other = harness.another();
    await other.sync();
    const asks = Array.from({ length: 12 }, (_, at) =>
      ensure(`desk${at}`, desktop(3n), at % 2 === 0 ? harness : other),
    );
    const answers = await Promise.all(asks);
    const granted = answers.filter((answer) => answer.granted).length;
    expect(granted).toBe(5);
    expect(Object.keys(record()?.data ?? {})).toHaveLength(5);
    expect(writes().length).toBeGreaterThan(2);
    await other.stop();
  });

  it('start over when somebody else wrote in between, on what that one wrote', async () => {
    await ensure('one', desktop(4n));
    let meddled = false;
    harness.server.intercept = ({ kind, verb }) => {
      if (meddled || kind !== 'ConfigMap' || verb !== 'update') return;
      meddled = true;
      const data = { ...record()?.data, 'desktops.rival': '{"used":{"vcpu":"10","desktops":"1"},"allotted":{}}' };
      harness.server.put(CONFIGMAPS, { ...record(), data } as unknown as KubeObject);
    };
    expect(text(await ensure('two', desktop(4n)))).toBe('vcpu: asked 4, used 14 of 16');
    expect(Object.keys(record()?.data ?? {})).toEqual(['desktops.one', 'desktops.rival']);
  });

  it('give up, to try again later, when somebody writes every time', async () => {
    await ensure('one', desktop(1n));
    let count = 0;
    harness.server.intercept = ({ kind, verb }) => {
      if (kind !== 'ConfigMap' || verb !== 'update') return;
      count += 1;
      harness.server.put(CONFIGMAPS, {
        ...record(),
        data: { ...record()?.data, 'desktops.x': `{"used":{"vcpu":"${count % 2}"},"allotted":{}}` },
      } as unknown as KubeObject);
    };
    await expect(ensure('two', desktop(1n))).rejects.toThrow(
      `${RECORD} changed 8 times while a share was to be recorded`,
    );
  });
});

describe('a record that cannot be read', () => {
  it.each([['no json'], ['{}'], ['{"used":{"vcpu":"-16"},"allotted":{}}'], ['{"used":{"vcpu":4},"allotted":{}}']])(
    'grants nothing and names the field: %s',
    async (field) => {
      await ensure('one', desktop(4n));
      harness.server.put(CONFIGMAPS, {
        ...record(),
        data: { ...record()?.data, 'desktops.bad': field },
      } as unknown as KubeObject);
      await harness.converge();
      const message = `ConfigMap ${RECORD}: desktops.bad cannot be read; nothing is granted until it is mended`;
      await expect(ensure('two', desktop(1n))).rejects.toMatchObject({ reason: 'GrantsUnreadable', message });
      await expect(
        harness.context.grants.release({ namespace: 't-acme', key: 'desktops/one' }, signal),
      ).rejects.toThrow(message);
      expect(record()?.data?.['desktops.bad']).toBe(field);
    },
  );

  it('that was deleted is not made anew over what a cache still shows', async () => {
    await ensure('one', desktop(4n));
    harness.server.intercept = ({ kind, verb }) => {
      if (kind === 'ConfigMap' && verb === 'update') harness.server.remove(CONFIGMAPS, RECORD);
    };
    await expect(ensure('two', desktop(1n))).rejects.toThrow('is gone; waiting for the cache to show it');
  });
});

describe('a share that is lowered', () => {
  it('never becomes less than what is being granted of it at that moment', async () => {
    const { server, context } = harness;
    server.put(PLANS, tenantPlan('t-acme', 'small', { vcpu: 8, desktops: 4 }));
    server.put(TENANTS, tenant('t-acme', 'bob', { plan: 'small' }));
    await harness.converge();
    const release = Promise.withResolvers<void>();
    server.intercept = ({ key }) => (key === 't-acme--bob/sublet-grants' ? release.promise : undefined);
    const ask = { namespace: 't-acme--bob', key: 'desktops/desk', used: desktop(6n) };
    const answer = context.grants.ensure(ask, signal);
    server.put(PLANS, {
      ...(server.get(PLANS, 't-acme/small') as KubeObject),
      ...tenantPlan('t-acme', 'small', { vcpu: 2 }),
    });
    const lowering = harness.converge();
    await settle(20);
    expect(context.limits.inNamespace('t-acme--bob').vcpu).toBe(2n);
    expect(context.grants.recorded('t-acme', 'tenants/bob')?.allotted.vcpu).toBe(8n);
    release.resolve();
    expect(await answer).toEqual({ granted: true });
    await lowering;
    await harness.converge();
    expect(context.grants.recorded('t-acme', 'tenants/bob')?.allotted.vcpu).toBe(6n);
  });
});

it('a customer’s share follows when its seller becomes limited in a name that nobody stated', async () => {
  harness = createHarness();
  const { server } = harness;
  server.put(PLANS, tenantPlan('sublet-root', 'team', { tenants: 2, vcpu: 16 }));
  server.put(TENANTS, tenant('sublet-root', 'acme', { type: 'Reseller' }));
  await harness.converge();
  server.put(PLANS, tenantPlan('t-acme', 'small', { vcpu: 4 }));
  server.put(TENANTS, tenant('t-acme', 'bob', { plan: 'small' }));
  await harness.converge();
  const allotted = () => harness.context.grants.recorded('t-acme', 'tenants/bob')?.allotted;
  expect(allotted()).toEqual({ vcpu: 4n, tenants: 0n });
  server.put(PLANS, tenantPlan('sublet-root', 'team', { tenants: 2, vcpu: 16, gpus: 1 }));
  await harness.converge();
  expect(allotted()).toMatchObject({ vcpu: 4n, gpus: 0n });
});

it('a customer’s share follows when the held removal of its seller is carried out', async () => {
  harness = createHarness();
  const { server } = harness;
  server.put(PLANS, tenantPlan('sublet-root', 'team', { tenants: 2, vcpu: 16 }));
  server.put(TENANTS, tenant('sublet-root', 'acme', { type: 'Reseller' }));
  await harness.converge();
  server.put(PLANS, tenantPlan('t-acme', 'small', { vcpu: 4, desktops: 2 }));
  server.put(TENANTS, tenant('t-acme', 'bob', { plan: 'small' }));
  await harness.converge();
  const hold = (held: string | undefined) => {
    const live = server.get<KubeObject>(NAMESPACES, 't-acme') as KubeObject;
    const { [ANNOTATION_HELD]: _, ...annotations } = live.metadata.annotations ?? {};
    const stamps =
      held === undefined ? {} : { [ANNOTATION_REMOVED_AT]: '2026-11-21T09:00:00Z', [ANNOTATION_HELD]: held };
    server.put(NAMESPACES, { ...live, metadata: { ...live.metadata, annotations: { ...annotations, ...stamps } } });
  };
  hold('1');
  server.remove(TENANTS, 'sublet-root/acme');
  server.remove(PLANS, 'sublet-root/team');
  await harness.converge();
  const ready = () =>
    (server.get<Tenant & KubeObject>(TENANTS, 't-acme/bob')?.status?.conditions ?? []).find(
      ({ type }) => type === 'Ready',
    );
  expect(ready()).toMatchObject({ reason: 'TenantNotFound' });
  server.put(PLANS, tenantPlan('t-acme', 'small', { vcpu: 4, desktops: 1 }));
  await harness.converge();
  hold(undefined);
  await harness.converge();
  expect(ready()).toMatchObject({ status: 'True' });
  expect(harness.context.grants.recorded('t-acme', 'tenants/bob')?.allotted).toEqual({ vcpu: 4n, desktops: 1n });
});

describe('used + allotted', () => {
  const NAMES = ['a', 'b', 'c', 'd', 'e'] as const;
  const step = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('ensure' as const),
        name: fc.constantFrom(...NAMES),
        vcpu: fc.nat(12),
        memory: fc.nat(12),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('release' as const), name: fc.constantFrom(...NAMES) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
  );

  it('never exceeds hard, whatever is asked by two operators in whatever order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(step, { minLength: 1, maxLength: 4 }), { maxLength: 8 }), async (rounds) => {
        harness.server.remove(CONFIGMAPS, RECORD);
        await harness.sync();
        let other = harness.another();
        await other.sync();
        for (const steps of rounds) {
          if (steps.some((one) => one.do === 'restart')) {
            await other.stop();
            other = harness.another();
            await other.sync();
          }
          const work = steps.map((one, at): Promise<unknown> => {
            const { grants } = (at % 2 === 0 ? harness : other).context;
            if (one.do === 'release')
              return grants.release({ namespace: 't-acme', key: `tenants/${one.name}` }, signal);
            if (one.do === 'restart') return Promise.resolve();
            const { name, vcpu, memory } = one;
            return grants.ensure(
              {
                namespace: 't-acme',
                key: `tenants/${name}`,
                used: { desktops: 1n },
                allotted: { vcpu: BigInt(vcpu), memory: BigInt(memory) },
              },
              signal,
            );
          });
          await Promise.allSettled(work);
          await harness.sync();
          await other.sync();
          const hard = harness.context.limits.inNamespace('t-acme');
          const { used, allotted } = harness.context.grants.totals('t-acme');
          for (const name of LIMIT_NAMES) {
            const limit = hard[name];
            if (limit !== undefined) expect((used[name] ?? 0n) + (allotted[name] ?? 0n)).toBeLessThanOrEqual(limit);
          }
        }
        await other.stop();
      }),
      { numRuns: 12 },
    );
  });
});
