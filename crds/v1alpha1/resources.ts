import type { Resource } from '../../kube/object.ts';
import { GROUP, VERSION } from '../../model/group.ts';

const resource = (plural: string, kind: string) => ({ group: GROUP, version: VERSION, plural, kind, namespaced: true }) satisfies Resource;

export const TENANTS = resource('tenants', 'Tenant');
export const PLANS = resource('plans', 'Plan');
export const QUOTAS = resource('quotas', 'Quota');
export const RDPINSTANCES = resource('rdpinstances', 'RDPInstance');
