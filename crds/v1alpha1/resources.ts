import type { z } from 'zod';
import type { Resource } from '../../kube/object.ts';
import { GROUP, VERSION } from '../../model/group.ts';
import { Plan } from './plan.ts';
import { Quota } from './quota.ts';
import { RDPInstance } from './rdpinstance.ts';
import { Tenant } from './tenant.ts';

const resource = (plural: string, kind: string) =>
  ({ group: GROUP, version: VERSION, plural, kind, namespaced: true }) satisfies Resource;

export const TENANTS = resource('tenants', 'Tenant');
export const PLANS = resource('plans', 'Plan');
export const QUOTAS = resource('quotas', 'Quota');
export const RDPINSTANCES = resource('rdpinstances', 'RDPInstance');

/** Our kinds and their schemas. */
export const KINDS = [
  { resource: TENANTS, shortName: 'stenant', schema: Tenant },
  { resource: PLANS, shortName: 'splan', schema: Plan },
  { resource: QUOTAS, shortName: 'squota', schema: Quota },
  { resource: RDPINSTANCES, shortName: 'rdp', schema: RDPInstance },
] as const satisfies readonly {
  readonly resource: Resource;
  readonly shortName: string;
  readonly schema: z.ZodObject;
}[];

/** A resource of any of our kinds, as its schema leaves it. */
export type SubletResource = Tenant | Plan | Quota | RDPInstance;
