import type { Stage } from './stage.ts';

/** One user story on a world that the stories before it left. `root` is the repository's folder. */
export type Story = { readonly title: string; tell(stage: Stage, root: string): Promise<void> };

/** A desktop as a customer orders it. */
export function renderDesktop(name: string, fields: Readonly<Record<string, unknown>> = {}): string {
  const spec = { plan: 'pro', image: 'ubuntu-24', username: 'anna', ...fields };
  return JSON.stringify({ apiVersion: 'sublet.dev/v1alpha1', kind: 'RDPInstance', metadata: { name }, spec }, null, 2);
}

/** A tenant as its seller orders it. */
export function renderTenant(name: string, spec: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ apiVersion: 'sublet.dev/v1alpha1', kind: 'Tenant', metadata: { name }, spec }, null, 2);
}

/** A price of nothing for what the seller sells. */
export function renderPlan(name: string, spec: Readonly<Record<string, unknown>>): string {
  const common = { title: name, currency: 'USD' };
  return JSON.stringify({
    apiVersion: 'sublet.dev/v1alpha1',
    kind: 'Plan',
    metadata: { name },
    spec: { ...common, ...spec },
  });
}
