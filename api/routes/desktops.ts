import { z } from 'zod';
import { RDPInstanceSpec } from '../../crds/v1alpha1/rdpinstance.ts';
import { renderRdpFile } from '../../rdp/index.ts';
import type { Verb } from '../authorize.ts';
import { DESKTOPS } from '../collections.ts';
import type { Place } from '../place.ts';
import { Problem } from '../problem.ts';
import { representationSchema } from '../represent.ts';
import { type Answer, defineRoute, type Route } from '../route.ts';
import type { RoutesDeps } from './deps.ts';
import { editOne, type Item, requireOne } from './resources.ts';
import { ACCEPTED, IDEMPOTENCY, ItemInPlace, MATCH } from './shapes.ts';

const URL = '/v1/tenants/{path}/desktops/{name}';

const asks =
  (verb: Verb) =>
  ({ namespace }: Place, { name }: { readonly name: string }) =>
    ({ verb, resource: 'rdpinstances', namespace, name }) as const;

/** What is done with desktops besides declaring them. */
export function buildDesktopRoutes(deps: RoutesDeps): readonly Route[] {
  const unchanged = {
    200: { description: 'Nothing is different: the desktop as it is.', schema: representationSchema(DESKTOPS) },
  };
  const common = { tag: 'desktops', params: ItemInPlace, headers: { ...IDEMPOTENCY, ...MATCH } };
  return [
    defineRoute({
      ...common,
      method: 'POST',
      url: `${URL}/power`,
      operationId: 'power-desktop',
      summary: 'Start or stop a desktop',
      access: asks('patch'),
      body: { kind: 'json', schema: z.strictObject({ power: RDPInstanceSpec.shape.power.unwrap() }) },
      answers: { ...unchanged, ...ACCEPTED },
      handle: (call) =>
        editOne(deps, DESKTOPS, { place: call.place, name: call.params.name }, call, {
          operation: 'power',
          needsMatch: false,
          compute: (spec) => ({ ...spec, power: call.body.power }),
        }),
    }),
    defineRoute({
      ...common,
      method: 'POST',
      url: `${URL}/restart`,
      operationId: 'restart-desktop',
      summary: 'Restart a desktop, or start one again that its guest shut down',
      access: asks('patch'),
      body: { kind: 'json', schema: z.strictObject({}), optional: true },
      // Twice in one millisecond is once.
      answers: { ...unchanged, ...ACCEPTED },
      handle: (call) =>
        editOne(deps, DESKTOPS, { place: call.place, name: call.params.name }, call, {
          operation: 'restart',
          needsMatch: false,
          compute: (spec) => ({ ...spec, restartedAt: new Date(deps.clock.now()).toISOString() }),
        }),
    }),
    defineRoute({
      method: 'GET',
      url: `${URL}/connect`,
      operationId: 'connect-desktop',
      summary: 'Get the .rdp file, which RDP clients open. It holds no password',
      tag: 'desktops',
      access: asks('get'),
      params: ItemInPlace,
      answers: { 200: { description: 'The file.', type: 'application/x-rdp', schema: z.string() } },
      handle: ({ place, params }) => connect(deps, { place, name: params.name }),
    }),
  ];
}

async function connect(deps: RoutesDeps, item: Item): Promise<Answer> {
  const { declared } = await requireOne(deps, DESKTOPS, item);
  const { live, name } = declared;
  const desktop = live?.kind === 'RDPInstance' ? live : undefined;
  const { address, port } = desktop?.status ?? {};
  if (desktop === undefined || address === undefined || port === undefined) {
    const detail = `${name} has no address yet; its condition Ready says what it waits for`;
    throw new Problem(409, 'conflict', detail, { headers: { 'retry-after': '5' } });
  }
  const { username } = desktop.spec;
  const title = item.place.path === undefined ? name : `${name} (${item.place.path})`;
  return {
    status: 200,
    type: 'application/x-rdp',
    headers: { 'content-disposition': `attachment; filename="${name}.rdp"` },
    body: renderRdpFile({ address, port, username, title: title.slice(0, 200) }),
  };
}
