import { z } from 'zod';
import type { Question } from '../authorize.ts';
import { PathParam, type Place } from '../place.ts';
import { notFound } from '../problem.ts';
import type { Endpoint } from '../webhooks/endpoints.ts';
import type { RoutesDeps } from './deps.ts';

export const WebhookInPlace = z.strictObject({
  path: PathParam,
  id: z
    .string()
    .regex(/^[0-9a-f]{20}$/)
    .describe('Id of the webhook.'),
});

/** What they tell is of everything below, so they are for those who manage that. */
export const managesTenants = ({ namespace }: Place): Question => ({ verb: 'create', resource: 'tenants', namespace });

/** By identity, so that who has a name now has nothing to do with who had it before. */
export function findTenantId({ tree }: Pick<RoutesDeps, 'tree'>, { namespace }: Place): string {
  const owner = tree.owner(namespace);
  if (owner === undefined) throw notFound();
  return owner.tenantId;
}

export async function findWebhook(deps: RoutesDeps, place: Place, id: string): Promise<Endpoint> {
  const found = await deps.endpoints.find(findTenantId(deps, place), id);
  if (found === undefined) throw notFound();
  return found;
}
