import { stringify } from 'yaml';
import { API_VERSION } from '../../../model/group.ts';
import { ROOT_NAMESPACE, tenantNamespace } from '../../../model/names.ts';
import { buildPlan, buildTenantResource } from './workload.ts';

/** The one resource of a tenant's folder: a Plan, whose status costs the operator least, so that the way there is measured. */
export const OFFER_NAME = 'offer';
const BASE_NAME = 'base';

/** The provider's folder: two Plans, and one reseller a name. By path below the environment's folder. */
export function buildRootFolder(names: readonly string[]): Readonly<Record<string, string>> {
  const base = {
    title: 'Base desktop',
    offers: 'Desktop',
    currency: 'USD',
    desktop: { vcpu: 2, memory: '4Gi', storage: '50Gi', images: ['ubuntu-24'] },
  };
  const tenants = names.map((name) => {
    const { spec } = buildTenantResource(name);
    return [file(ROOT_NAMESPACE, name), render('Tenant', name, { ...Object(spec), type: 'Reseller' })];
  });
  const plan = buildPlan();
  return {
    [file(ROOT_NAMESPACE, plan.metadata.name)]: render('Plan', plan.metadata.name, plan.spec),
    [file(ROOT_NAMESPACE, BASE_NAME)]: render('Plan', BASE_NAME, base),
    ...Object.fromEntries(tenants),
  };
}

/** A reseller's folder in the given version. */
export function buildFolder(name: string, version: number): Readonly<Record<string, string>> {
  const spec = { title: renderTitle(name, version), offers: 'Desktop', basedOn: BASE_NAME, currency: 'USD' };
  return { [file(tenantNamespace(name), OFFER_NAME)]: render('Plan', OFFER_NAME, spec) };
}

export function renderTitle(name: string, version: number): string {
  return `Offer of ${name}, version ${version}`;
}

function file(namespace: string, name: string): string {
  return `${namespace}/${name}.yaml`;
}

function render(kind: string, name: string, spec: unknown): string {
  return stringify({ apiVersion: API_VERSION, kind, metadata: { name }, spec }, { compat: 'yaml-1.1', lineWidth: 0 });
}
