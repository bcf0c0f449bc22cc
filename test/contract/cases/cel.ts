import { apply, get, merge, post, put } from '../case.ts';
import type { Json } from '../json.ts';
import { PLANS, QUOTAS, RDPINSTANCES, sublet, TENANTS, WIDGETS, widget } from '../resources.ts';
import type { Subject } from '../suite.ts';

const price = (...items: readonly Json[]): Json => ({
  title: 'P',
  offers: 'Application',
  currency: 'USD',
  price: items,
});
const base = {
  name: 'base',
  type: 'Recurring',
  per: 'Resource',
  accrues: 'Exists',
  recurring: { amount: '1.00', interval: 'Month' },
};

export const cel: Subject = {
  subject: 'CEL rules',
  cases: [
    {
      name: 'of an object, with a field and a reason',
      steps: [
        post(WIDGETS, widget('a', { checked: { low: 1, high: 2 } })),
        post(WIDGETS, widget('b', { checked: { low: 3, high: 2 } })),
        post(WIDGETS, widget('c', { checked: { note: 'bad' } })),
        post(WIDGETS, widget('d', { checked: { items: ['yes', 'no'] } })),
        post(WIDGETS, widget('e', { checked: { note: 'ok but long' } })),
        post(WIDGETS, widget('f', { checked: { low: 3, high: 2, note: 'bad', items: ['no'] } })),
        post(WIDGETS, widget('g', { checked: {} })),
      ],
    },
    {
      name: 'do not run where the schema is broken already',
      steps: [
        post(WIDGETS, widget('a', { checked: { low: 'x', high: 2 } })),
        post(WIDGETS, widget('b', { checked: { low: 3, high: 2 }, size: 'x' })),
        post(WIDGETS, widget('c', { checked: { low: 3, high: 2 }, size: 1000 })),
        post(WIDGETS, widget('d', { checked: { low: 3, high: 2, items: ['x'.repeat(11)] } })),
        post(WIDGETS, widget('e', { checked: { low: 3, high: 2, items: ['1', '2', '3', '4', '5', '6'] } })),
      ],
    },
    {
      name: 'of transitions',
      steps: [
        post(WIDGETS, widget('a', { fixed: 'one', growing: 5 })),
        merge(`${WIDGETS}/a`, { spec: { fixed: 'two' } }),
        merge(`${WIDGETS}/a`, { spec: { growing: 4 } }),
        merge(`${WIDGETS}/a`, { spec: { growing: 6 } }),
        merge(`${WIDGETS}/a`, { spec: { fixed: null } }),
        merge(`${WIDGETS}/a`, { spec: { fixed: 'three' } }),
        apply(`${WIDGETS}/a?fieldManager=m&force=true`, widget('a', { fixed: 'four', growing: 1 })),
        merge(`${WIDGETS}/a/status`, { status: { phase: 'x' } }),
        get(`${WIDGETS}/a`),
      ],
    },
    {
      name: 'of a Plan: immutable fields',
      steps: [
        post(PLANS, sublet('Plan', 'p', price(base))),
        merge(`${PLANS}/p`, { spec: { offers: 'Database' } }),
        merge(`${PLANS}/p`, { spec: { currency: 'EUR' } }),
        merge(`${PLANS}/p`, { spec: { title: 'Other' } }),
        put(`${PLANS}/p`, sublet('Plan', 'p', { title: 'P', offers: 'Tenant', currency: 'usd' })),
      ],
    },
    {
      name: 'of a Plan: price items',
      steps: [
        post(PLANS, sublet('Plan', 'a', price({ ...base, accrues: 'Sometimes' }))),
        post(PLANS, sublet('Plan', 'b', price({ name: 'x', type: 'Recurring', per: 'Resource' }))),
        post(
          PLANS,
          sublet('Plan', 'c', price({ ...base, recurring: { amount: '1.0000000000001', interval: 'Month' } })),
        ),
        post(PLANS, sublet('Plan', 'd', price({ ...base, per: 'Seat' }))),
        post(PLANS, sublet('Plan', 'e', price(base, base))),
        post(PLANS, sublet('Plan', 'f', price({ ...base, recurring: { amount: '-1', interval: 'Year' } }))),
        post(
          PLANS,
          sublet(
            'Plan',
            'g',
            price({
              name: 'm',
              type: 'Metered',
              per: 'Buyer',
              metered: { meter: 'egress-mib', unit: '0', amount: '1' },
            }),
          ),
        ),
        post(
          PLANS,
          sublet(
            'Plan',
            'h',
            price({
              name: 'm',
              type: 'Metered',
              per: 'Seat',
              metered: { meter: 'egress-mib', unit: '1', tiers: [{ from: '1', amount: '1' }] },
            }),
          ),
        ),
      ],
    },
    {
      name: 'of a Plan: a desktop',
      steps: [
        post(PLANS, sublet('Plan', 'a', { title: 'D', offers: 'Desktop', currency: 'USD' })),
        post(PLANS, sublet('Plan', 'b', desktop({ vcpu: 4, memory: '8Gi', storage: '100Gi', images: ['ubuntu-24'] }))),
        post(PLANS, sublet('Plan', 'c', desktop({ vcpu: 4, memory: '8G', storage: '100Gi', images: ['ubuntu-24'] }))),
        post(
          PLANS,
          sublet('Plan', 'd', desktop({ vcpu: 4, memory: 8589934592, storage: '100Gi', images: ['ubuntu-24'] })),
        ),
        post(PLANS, sublet('Plan', 'e', desktop({ vcpu: 4, memory: '8Gi', storage: '1Mi', images: ['ubuntu-24'] }))),
        post(PLANS, sublet('Plan', 'f', desktop({ vcpu: 0, memory: '8Gi', storage: '100Gi', images: [] }))),
        post(PLANS, sublet('Plan', 'g', { ...(desktop({ storageClassName: 'fast' }) as object), basedOn: 'b' })),
        post(PLANS, sublet('Plan', 'h', desktop({ vcpu: 4, memory: 1000, storage: '100Gi', images: ['Bad Image'] }))),
      ],
    },
    {
      name: 'of a Tenant',
      steps: [
        post(TENANTS, sublet('Tenant', 'acme', tenant())),
        post(TENANTS, sublet('Tenant', 'double--hyphen', tenant())),
        post(TENANTS, sublet('Tenant', 'root', tenant({ id: 'root' }))),
        post(
          TENANTS,
          sublet('Tenant', 'x', tenant({ members: [{ kind: 'User', name: 'system:admin', role: 'Owner' }] })),
        ),
        post(TENANTS, sublet('Tenant', 'y', tenant({ displayName: 'new\nline' }))),
        post(TENANTS, sublet('Tenant', 'z', tenant({ id: 'Upper' }))),
        merge(`${TENANTS}/acme`, { spec: { id: 'other' } }),
        merge(`${TENANTS}/acme`, { spec: { type: 'Reseller' } }),
        merge(`${TENANTS}/acme`, { spec: { suspensions: [{ reason: 'Payment' }, { reason: 'Payment' }] } }),
        merge(`${TENANTS}/acme`, { spec: { holds: [{ tenant: 'eve', reason: 'Abuse' }] } }),
        post(TENANTS, sublet('Tenant', 'name.with.dots', tenant())),
      ],
    },
    {
      name: 'of a Quota',
      steps: [
        post(QUOTAS, sublet('Quota', 'bob', { hard: { vcpu: 16, memory: '64Gi', storage: '500Gi' } })),
        post(QUOTAS, sublet('Quota', 'b', { hard: { memory: '64G' } })),
        post(QUOTAS, sublet('Quota', 'c', { hard: { memory: 1048576 } })),
        post(QUOTAS, sublet('Quota', 'd', { hard: { memory: 1048577 } })),
        post(QUOTAS, sublet('Quota', 'e', { hard: { memory: '2097152Ti' } })),
        post(QUOTAS, sublet('Quota', 'f', { hard: { vcpu: -1, desktops: '5', memory: true } })),
        post(QUOTAS, sublet('Quota', 'g', {})),
        post(QUOTAS, sublet('Quota', `long-${'x'.repeat(40)}`, { hard: {} })),
      ],
    },
    {
      name: 'of an RDPInstance',
      steps: [
        post(RDPINSTANCES, sublet('RDPInstance', 'desk', desk())),
        post(RDPINSTANCES, sublet('RDPInstance', 'a-name-that-is-too-long', desk())),
        post(RDPINSTANCES, sublet('RDPInstance', '1st', desk())),
        post(RDPINSTANCES, sublet('RDPInstance', 'b', desk({ username: 'root' }))),
        post(
          RDPINSTANCES,
          sublet('RDPInstance', 'c', desk({ access: { type: 'LoadBalancer', allow: ['203.0.113.1/24'] } })),
        ),
        post(
          RDPINSTANCES,
          sublet('RDPInstance', 'd', desk({ access: { type: 'LoadBalancer', allow: ['203.0.113.0/24'] } })),
        ),
        post(RDPINSTANCES, sublet('RDPInstance', 'e', desk({ access: { type: 'LoadBalancer', allow: ['x'] } }))),
        post(RDPINSTANCES, sublet('RDPInstance', 'f', desk({ restartedAt: '2026-02-30T09:00:00Z' }))),
        post(RDPINSTANCES, sublet('RDPInstance', 'g', desk({ restartedAt: '2020-02-29T09:00:00Z' }))),
        post(RDPINSTANCES, sublet('RDPInstance', 'h', desk({ power: 'On' }))),
        merge(`${RDPINSTANCES}/desk`, { spec: { username: 'bob' } }),
        merge(`${RDPINSTANCES}/desk`, { spec: { image: 'windows-11' } }),
        merge(`${RDPINSTANCES}/desk`, { spec: { power: 'Stopped' } }),
      ],
    },
  ],
};

function desktop(size: Json): Json {
  return { title: 'D', offers: 'Desktop', currency: 'USD', desktop: size };
}

function tenant(rest: object = {}): Json {
  return { id: 'acme-1', displayName: 'Acme', plan: 'team', type: 'Customer', ...rest };
}

function desk(rest: object = {}): Json {
  return { plan: 'pro', image: 'ubuntu-24', username: 'anna', ...rest };
}
