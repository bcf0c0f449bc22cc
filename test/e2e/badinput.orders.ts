import { APPLY } from '../cluster/rest.ts';
import type { Kind, Stage } from './stage.ts';

const API = '/apis/sublet.dev/v1alpha1/namespaces';
const PLURALS = { Tenant: 'tenants', Plan: 'plans', Quota: 'quotas', RDPInstance: 'rdpinstances' } as const;

export type SoldKind = keyof typeof PLURALS & Kind;

/** A resource as somebody orders it; the namespace stands apart, as on kubectl's command line. */
export type Order = {
  readonly kind: SoldKind;
  readonly name: string;
  readonly spec: Readonly<Record<string, unknown>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
};

export const order = {
  tenant: (name: string, spec: Readonly<Record<string, unknown>> = {}): Order => ({
    kind: 'Tenant',
    name,
    spec: { id: name, plan: 'open', ...spec },
  }),
  reseller: (name: string): Order => order.tenant(name, { type: 'Reseller' }),
  /** A desktop at the provider's; kept as small as a plan may be. */
  desktop: (name: string, spec: Readonly<Record<string, unknown>> = {}): Order => ({
    kind: 'RDPInstance',
    name,
    spec: { plan: 'tiny', image: 'ubuntu-24', username: 'anna', ...spec },
  }),
  desktopPlan: (name: string, vcpu: number, desktop: Readonly<Record<string, unknown>> = {}): Order => ({
    kind: 'Plan',
    name,
    spec: {
      title: name,
      offers: 'Desktop',
      currency: 'USD',
      desktop: { vcpu, memory: '512Mi', storage: '20Gi', images: ['ubuntu-24'], ...desktop },
    },
  }),
  tenantPlan: (name: string, limits?: Readonly<Record<string, unknown>>): Order => ({
    kind: 'Plan',
    name,
    spec: { title: name, offers: 'Tenant', currency: 'USD', ...(limits && { limits }) },
  }),
  quota: (name: string, hard: Readonly<Record<string, unknown>>): Order => ({ kind: 'Quota', name, spec: { hard } }),
} as const;

/** Applies orders as the administrator, in order; throws with the API server's words. */
export async function place(stage: Stage, namespace: string, ...orders: readonly Order[]): Promise<void> {
  for (const one of orders) {
    const path = `${API}/${namespace}/${PLURALS[one.kind]}/${one.name}?fieldManager=badinput&force=true`;
    await stage.world.cluster.admin.ask('PATCH', path, renderOrder(one), APPLY);
  }
}

function renderOrder({ kind, name, labels, annotations, spec }: Order) {
  const metadata = { name, ...(labels && { labels }), ...(annotations && { annotations }) };
  return { apiVersion: 'sublet.dev/v1alpha1', kind, metadata, spec };
}

/** What the API server says of an order without storing it: `accepted`, or its message. */
export async function judge(stage: Stage, namespace: string, { kind, ...rest }: Order): Promise<string> {
  const path = `${API}/${namespace}/${PLURALS[kind]}?dryRun=All&fieldValidation=Strict`;
  const { status, body } = await stage.world.cluster.admin.call('POST', path, renderOrder({ kind, ...rest }));
  if (status === 201) return 'accepted';
  return typeof body === 'object' && body !== null && 'message' in body ? String(body.message) : String(body);
}

export async function withdraw(stage: Stage, kind: SoldKind, namespace: string, name: string): Promise<void> {
  await stage.world.cluster.admin.ask('DELETE', `${API}/${namespace}/${PLURALS[kind]}/${name}`);
}
