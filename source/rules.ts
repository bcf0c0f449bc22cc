import type { z } from 'zod';
import { Plan } from '../crds/v1alpha1/plan.ts';
import { Quota } from '../crds/v1alpha1/quota.ts';
import { RDPInstance } from '../crds/v1alpha1/rdpinstance.ts';
import { Tenant } from '../crds/v1alpha1/tenant.ts';
import type { CheckResource } from './gate.ts';

const SCHEMAS: Readonly<Record<string, z.ZodType>> = { Tenant, Plan, Quota, RDPInstance };

/** The shape that the API, admission and the operator use, in the gate's form. */
export const checkByRules: CheckResource = (value) => {
  const kind = typeof value === 'object' && value !== null && 'kind' in value ? String(value.kind) : '';
  const parsed = SCHEMAS[kind]?.safeParse(value);
  if (parsed === undefined) return [{ rule: 'kind', path: ['kind'], message: `${kind} is not one of Sublet's kinds` }];
  if (parsed.success) return [];
  return parsed.error.issues.map((issue) => ({
    rule: 'schema',
    path: issue.path.filter((part) => typeof part !== 'symbol'),
    message: issue.message,
  }));
};
