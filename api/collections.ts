import type { z } from 'zod';
import { PlanSpec, PlanStatus } from '../crds/v1alpha1/plan.ts';
import { QuotaSpec, QuotaStatus } from '../crds/v1alpha1/quota.ts';
import { RDPInstanceSpec, RDPInstanceStatus } from '../crds/v1alpha1/rdpinstance.ts';
import type { SubletResource } from '../crds/v1alpha1/resources.ts';
import { TenantSpec, TenantStatus } from '../crds/v1alpha1/tenant.ts';
import type { KubeObject } from '../kube/object.ts';
import type { Plural } from './authorize.ts';
import { BY_NAMESPACE, type Caches } from './caches.ts';

/** A kind as the API shows it: under which word, and from which cache. */
export type Collection = {
  /** In addresses. */
  readonly word: 'tenants' | 'plans' | 'quotas' | 'desktops';
  /** For people. */
  readonly noun: string;
  readonly kind: SubletResource['kind'];
  readonly plural: Plural;
  readonly spec: z.ZodType;
  readonly status: z.ZodType;
};

export const TENANTS: Collection = {
  word: 'tenants',
  noun: 'tenant',
  kind: 'Tenant',
  plural: 'tenants',
  spec: TenantSpec,
  status: TenantStatus,
};
export const PLANS: Collection = {
  word: 'plans',
  noun: 'plan',
  kind: 'Plan',
  plural: 'plans',
  spec: PlanSpec,
  status: PlanStatus,
};
export const QUOTAS: Collection = {
  word: 'quotas',
  noun: 'quota',
  kind: 'Quota',
  plural: 'quotas',
  spec: QuotaSpec,
  status: QuotaStatus,
};
export const DESKTOPS: Collection = {
  word: 'desktops',
  noun: 'desktop',
  kind: 'RDPInstance',
  plural: 'rdpinstances',
  spec: RDPInstanceSpec,
  status: RDPInstanceStatus,
};

export const COLLECTIONS: readonly Collection[] = [TENANTS, PLANS, QUOTAS, DESKTOPS];

export type Live = SubletResource & KubeObject;

/** What the cache holds; objects are shared and never changed. */
export function findLive(caches: Caches, { word }: Collection, namespace: string, name: string): Live | undefined {
  return caches[word].get(`${namespace}/${name}`);
}

export function listLive(caches: Caches, { word }: Collection, namespace: string): readonly Live[] {
  return caches[word].byIndex(BY_NAMESPACE, namespace);
}

export function collectionOfKind(kind: string): Collection | undefined {
  return COLLECTIONS.find((collection) => collection.kind === kind);
}
