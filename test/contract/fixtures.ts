import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'yaml';
import { at, type Json, type JsonObject, parseJson } from './json.ts';
import type { Server } from './server.ts';
import { GADGETS, WIDGETS } from './testcrds.ts';

const CRDS = path.join(import.meta.dirname, '..', '..', 'crds');
const SUBLET = ['plans', 'quotas', 'rdpinstances', 'tenants'];
const COLLECTION = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const ESTABLISH_TIMEOUT_MS = 30_000;

/** Installs what the cases need on a server: Sublet's CRDs and two for tests. */
export async function installFixtures(server: Server): Promise<void> {
  const sublet = SUBLET.map(async (plural) =>
    parse(await readFile(path.join(CRDS, `sublet.dev_${plural}.yaml`), 'utf8')),
  );
  const crds = [...(await Promise.all(sublet)), WIDGETS, GADGETS] as JsonObject[];
  await Promise.all(crds.map((crd) => install(server, crd)));
}

/** Takes away what the cases leave on a server that others use too. */
export async function removeFixtures(server: Server): Promise<void> {
  const listed = await call(server, 'GET', COLLECTION);
  const names = (at(listed.body, 'items') as readonly Json[]).map((crd) => String(at(crd, 'metadata.name')));
  const own = names.filter((name) => name.endsWith('contract.sublet.dev'));
  await Promise.all(own.map((name) => call(server, 'DELETE', `${COLLECTION}/${name}`)));
}

async function install(server: Server, crd: JsonObject): Promise<void> {
  const name = String(at(crd, 'metadata.name'));
  const made = await call(server, 'POST', COLLECTION, crd);
  if (made.status !== 201 && made.status !== 409)
    throw new Error(`cannot install ${name}: ${JSON.stringify(made.body)}`);
  const deadlineMs = performance.now() + ESTABLISH_TIMEOUT_MS;
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
