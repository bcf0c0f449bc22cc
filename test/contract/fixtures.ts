import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'yaml';
import { at, type Json, type JsonObject, parseJson } from './json.ts';
import type { Server } from './server.ts';
import { GADGETS, GROUP, WIDGETS } from './testcrds.ts';

const CRDS = path.join(import.meta.dirname, '..', '..', 'crds');
const SUBLET = ['plans', 'quotas', 'rdpinstances', 'tenants'];
const COLLECTION = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const ESTABLISH_TIMEOUT_MS = 300_000;

/** Installs what the cases need on a server: Sublet's CRDs and two for tests. */
export async function installFixtures(server: Server): Promise<void> {
  const sublet = SUBLET.map(async (plural) =>
    parse(await readFile(path.join(CRDS, `sublet.dev_${plural}.yaml`), 'utf8')),
  );
  const crds = [...(await Promise.all(sublet)), WIDGETS, GADGETS] as JsonObject[];
  await Promise.all(crds.map((crd) => install(server, crd)));
}

/**
 * Waits until the controllers of a real cluster know the test's kinds, of which they learn within 30 s: the collector removes what names an owner of such a kind that never
 * was, and a quota whose limit changes is counted.
 */
export async function untilControllersKnow(server: Server): Promise<void> {
  const [configMaps, quotas] = ['configmaps', 'resourcequotas'].map((plural) => `/api/v1/namespaces/default/${plural}`);
  const owner = { apiVersion: 'contract.sublet.dev/v1', kind: 'Widget', name: 'none', uid: NOBODY };
  const metadata = { name: 'contract-probe' };
  await call(server, 'POST', `${configMaps}`, { metadata: { ...metadata, ownerReferences: [owner] } });
  const counted = 'count/widgets.contract.sublet.dev';
  const deadlineMs = performance.now() + CONTROLLERS_TIMEOUT_MS;
  for (let limit = 1; ; limit += 1) {
    await call(server, 'POST', `${quotas}`, { metadata, spec: { hard: { [counted]: '1000' } } });
    const quota = (await call(server, 'GET', `${quotas}/contract-probe`)).body as JsonObject;
    await call(server, 'PUT', `${quotas}/contract-probe`, {
      ...quota,
      spec: { hard: { [counted]: String(1_000 + limit) } },
    });
    const isCollected = (await call(server, 'GET', `${configMaps}/contract-probe`)).status === 404;
    const used = at((await call(server, 'GET', `${quotas}/contract-probe`)).body, 'status.used') as
      | JsonObject
      | undefined;
    if (isCollected && used?.[counted] !== undefined) break;
    if (performance.now() > deadlineMs) throw new Error('the real controllers do not learn of the kinds of the test');
    await sleep(500);
  }
  await call(server, 'DELETE', `${quotas}/contract-probe`);
}

const NOBODY = '00000000-0000-4000-8000-00000000000a';
const CONTROLLERS_TIMEOUT_MS = 300_000;

/** Takes away what the cases leave on a server that others use too. */
export async function removeFixtures(server: Server): Promise<void> {
  const listed = await call(server, 'GET', COLLECTION);
  const names = (at(listed.body, 'items') as readonly Json[]).map((crd) => String(at(crd, 'metadata.name')));
  const own = names.filter((name) => name.endsWith('contract.sublet.dev'));
  await Promise.all(['widgets', 'gadgets'].map((plural) => dropFinalizers(server, `/apis/${GROUP}/v1`, plural)));
  await Promise.all(own.map((name) => call(server, 'DELETE', `${COLLECTION}/${name}`)));
}

/** A definition goes after its objects, and nobody else would let those go. */
async function dropFinalizers(server: Server, version: string, plural: string): Promise<void> {
  const listed = await call(server, 'GET', `${version}/${plural}`);
  const items = (at(listed.body, 'items') ?? []) as readonly Json[];
  const held = items.filter((item) => at(item, 'metadata.finalizers') !== undefined);
  await Promise.all(
    held.map((item) => {
      const namespace = at(item, 'metadata.namespace');
      const scope = namespace === undefined ? '' : `namespaces/${namespace}/`;
      return server.send({
        method: 'PATCH',
        path: `${version}/${scope}${plural}/${at(item, 'metadata.name')}`,
        headers: { 'content-type': 'application/merge-patch+json' },
        body: JSON.stringify({ metadata: { finalizers: null } }),
      });
    }),
  );
}

async function install(server: Server, crd: JsonObject): Promise<void> {
  const name = String(at(crd, 'metadata.name'));
  const deadlineMs = performance.now() + ESTABLISH_TIMEOUT_MS;
  // Another file of this run may just have taken it away, which needs its objects gone first.
  for (;;) {
    const made = await call(server, 'POST', COLLECTION, crd);
    if (made.status === 201) break;
    if (made.status !== 409 || performance.now() > deadlineMs) {
      throw new Error(`cannot install ${name}: ${JSON.stringify(made.body)}`);
    }
    const there = await call(server, 'GET', `${COLLECTION}/${name}`);
    if (there.status === 200 && at(there.body, 'metadata.deletionTimestamp') === undefined) break;
    await sleep(100);
  }
  const served = `/apis/${at(crd, 'spec.group')}/${at(crd, 'spec.versions.0.name')}/${at(crd, 'spec.names.plural')}`;
  while ((await call(server, 'GET', served)).status !== 200) {
    if (performance.now() > deadlineMs) throw new Error(`${name} is not served after ${ESTABLISH_TIMEOUT_MS} ms`);
    await sleep(50);
  }
}

async function call(server: Server, method: string, at: string, body?: Json): Promise<{ status: number; body: Json }> {
  const answer = await server.send({
    method,
    path: at,
    headers: body === undefined ? {} : { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = answer.body.toString('utf8');
  return { status: answer.status, body: text.startsWith('{') ? parseJson(text) : text };
}
