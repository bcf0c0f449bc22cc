import { z } from 'zod';
import { EVENTS } from '../../kube/builtin.ts';
import type { KubeObject } from '../../kube/object.ts';
import { GROUP } from '../../model/group.ts';
import { isOfPresentTenant } from '../lifetime.ts';
import { listPages } from '../listpages.ts';
import type { Place } from '../place.ts';
import { defineRoute, type Route } from '../route.ts';
import type { RoutesDeps } from './deps.ts';
import { InPlace } from './shapes.ts';

/** As much of an Event as is shown. */
type Event = KubeObject & {
  readonly type?: string;
  readonly reason?: string;
  readonly note?: string;
  readonly regarding?: { readonly apiVersion?: string; readonly kind?: string; readonly name?: string };
  readonly eventTime?: string | null;
  readonly series?: { readonly count?: number; readonly lastObservedTime?: string };
  readonly deprecatedLastTimestamp?: string | null;
};

const MOST = 500;

const EventSchema = z.strictObject({
  at: z.string(),
  type: z.string(),
  reason: z.string(),
  note: z.string(),
  regarding: z.strictObject({ kind: z.string(), name: z.string() }),
  count: z.int(),
});

/** Kubernetes' Events about Sublet's resources: what went wrong lately. The API server keeps them for an hour. */
export function buildEventRoutes(deps: RoutesDeps): readonly Route[] {
  return [
    defineRoute({
      method: 'GET',
      url: '/v1/tenants/{path}/events',
      operationId: 'list-events',
      summary: "List recent events about the resources in a tenant's namespace, newest first",
      tag: 'events',
      access: ({ namespace }: Place) => ({ verb: 'list', resource: 'events', namespace }) as const,
      params: InPlace,
      answers: {
        200: { description: `The newest, at most ${MOST}.`, schema: z.strictObject({ items: z.array(EventSchema) }) },
      },
      handle: async ({ place, signal }) => {
        const { namespace } = place;
        const { items } = await listPages<Event>(deps.client, EVENTS, { namespace, signal: signal() });
        const events = items
          .filter(({ regarding }) => regarding?.apiVersion?.startsWith(`${GROUP}/`) === true)
          .map(renderEvent)
          .filter(({ at }) => isOfPresentTenant(deps.caches, namespace, Date.parse(at)));
        const newest = events.sort((a, b) => (a.at > b.at ? -1 : 1)).slice(0, MOST);
        return { status: 200, body: { items: newest } };
      },
    }),
  ];
}

function renderEvent(event: Event): z.output<typeof EventSchema> {
  const { metadata, type = '', reason = '', note = '', regarding, series } = event;
  const at =
    series?.lastObservedTime ?? event.eventTime ?? event.deprecatedLastTimestamp ?? metadata.creationTimestamp ?? '';
  return {
    at,
    type,
    reason,
    note,
    regarding: { kind: regarding?.kind ?? '', name: regarding?.name ?? '' },
    count: series?.count ?? 1,
  };
}
