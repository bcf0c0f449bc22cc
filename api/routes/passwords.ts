import { createHash } from 'node:crypto';
import { z } from 'zod';
import { SECRETS } from '../../kube/builtin.ts';
import { isNotFound } from '../../kube/errors.ts';
import type { KubeObject } from '../../kube/object.ts';
import { desktopChildName } from '../../model/names.ts';
import { authorize, type Principal } from '../authorize.ts';
import { DESKTOPS, findLive } from '../collections.ts';
import { buildPage } from '../pages/page.ts';
import { renderAskPage, renderGonePage, renderPasswordPage } from '../pages/password.ts';
import type { Place } from '../place.ts';
import { Problem } from '../problem.ts';
import { isGoodKey } from '../records/keys.ts';
import type { LinkRecord } from '../records/links.ts';
import { type Answer, type Call, defineRoute, type Route } from '../route.ts';
import type { RoutesDeps } from './deps.ts';
import { requireOne } from './resources.ts';
import { ItemInPlace } from './shapes.ts';

const LINK_MS = 10 * 60_000;
const TOKEN_BYTES = 32;
const Token = z.strictObject({ token: z.string().min(1).max(64) });
const HTML = 'text/html; charset=utf-8';

/** Passwords are shown once, on a page, to whoever has the link: looking at the page shows and burns nothing, so previews do no harm. */
export function buildPasswordRoutes(deps: RoutesDeps): readonly Route[] {
  return [
    defineRoute({
      method: 'POST',
      url: '/v1/tenants/{path}/desktops/{name}/password-link',
      operationId: 'create-password-link',
      summary: "Make a link to a page that shows the desktop's password once, within ten minutes",
      tag: 'desktops',
      access: ({ namespace }: Place, { name }: { readonly name: string }) =>
        ({ verb: 'get', resource: 'secrets', namespace, name: desktopChildName(name) }) as const,
      params: ItemInPlace,
      body: { kind: 'json', schema: z.strictObject({}), optional: true },
      answers: {
        201: { description: 'The link.', schema: z.strictObject({ url: z.string(), expiresAt: z.string() }) },
      },
      handle: (call) => createLink(deps, call, call.params.name),
    }),
    defineRoute({
      method: 'GET',
      url: '/password/{token}',
      operationId: 'password-page',
      summary: 'The page that offers to show a password; it shows and burns nothing',
      tag: 'pages',
      access: 'Public',
      params: Token,
      answers: { 200: { description: 'The page.', type: HTML, schema: z.string() } },
      handle: () => ({ status: 200, ...buildPage(renderAskPage()) }),
    }),
    defineRoute({
      method: 'POST',
      url: '/password/{token}',
      operationId: 'reveal-password',
      summary: 'Show the password, once',
      tag: 'pages',
      access: 'Public',
      params: Token,
      body: { kind: 'form', schema: z.strictObject({}), optional: true },
      answers: {
        200: { description: 'The page with the password.', type: HTML, schema: z.string() },
        404: {
          description: 'There is no such link, or it was used, or its time is over.',
          type: HTML,
          schema: z.string(),
        },
      },
      handle: (call) => reveal(deps, call, call.params.token),
    }),
  ];
}

async function createLink(deps: RoutesDeps, call: Call, name: string): Promise<Answer> {
  const { declared } = await requireOne(deps, DESKTOPS, { place: call.place, name });
  const desktop = declared.live?.kind === 'RDPInstance' ? declared.live : undefined;
  if (desktop?.status?.credentials === undefined) {
    const detail = `${name} has no password yet; it is made with the desktop`;
    throw new Problem(409, 'conflict', detail, { headers: { 'retry-after': '5' } });
  }
  const { username, groups, key } = call.principal;
  const token = Buffer.from(deps.random.bytes(TOKEN_BYTES)).toString('base64url');
  const createdAtMs = deps.clock.now();
  const expiresAtMs = createdAtMs + LINK_MS;
  const maker = { username, groups, keyId: key?.id };
  await deps.links.add({
    hash: hashToken(token),
    namespace: call.place.namespace,
    desktop: name,
    maker,
    createdAtMs,
    expiresAtMs,
  });
  return {
    status: 201,
    body: { url: `${deps.config.publicUrl}/password/${token}`, expiresAt: new Date(expiresAtMs).toISOString() },
  };
}

/** Burnt first: of two that press at once, one sees it. The Secret is read only now, and only while the maker may still read it. */
async function reveal(deps: RoutesDeps, call: Call, token: string): Promise<Answer> {
  const use = { atMs: deps.clock.now(), from: call.remoteAddress };
  const link = await deps.links.burn(hashToken(token), use);
  const credentials =
    link !== undefined && (await isStillAllowed(deps, link)) ? await readCredentials(deps, link) : undefined;
  if (link === undefined || credentials === undefined) return { status: 404, ...buildPage(renderGonePage()) };
  deps.log.info(
    { namespace: link.namespace, desktop: link.desktop, maker: link.maker.username, from: use.from },
    'a password was shown',
  );
  return { status: 200, ...buildPage(renderPasswordPage({ desktop: link.desktop, ...credentials })) };
}

async function isStillAllowed(
  { tree, keys, clock }: RoutesDeps,
  { maker, namespace, desktop }: LinkRecord,
): Promise<boolean> {
  const { username, groups, keyId } = maker;
  const key = keyId === undefined ? undefined : await keys.find(keyId);
  if (keyId !== undefined && !isGoodKey(key, clock.now())) return false;
  const principal: Principal = { username, groups, key };
  const question = { verb: 'get', resource: 'secrets', namespace, name: desktopChildName(desktop) } as const;
  return authorize(principal, tree.memberships(principal), question);
}

type Secret = KubeObject & { readonly data?: Readonly<Record<string, string>> };

async function readCredentials({ client, caches }: RoutesDeps, { namespace, desktop }: LinkRecord) {
  if (findLive(caches, DESKTOPS, namespace, desktop) === undefined) return undefined;
  const name = desktopChildName(desktop);
  try {
    const { data = {} } = await client.get<Secret>(SECRETS, { namespace, name });
    return { username: decode(data.username), password: decode(data.password) };
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

function decode(value: string | undefined): string {
  return Buffer.from(value ?? '', 'base64').toString('utf8');
}

function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
