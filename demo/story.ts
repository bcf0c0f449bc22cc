import { cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { PROVIDER } from '../cli/embedded/people.ts';
import type { Progress } from '../cli/progress.ts';
import { realClock } from '../kube/clock.ts';
import { ROOT_NAMESPACE } from '../model/names.ts';
import { probeDesktop } from '../operator/controllers/rdpinstance/probe.ts';
import { dialTcp } from '../operator/dial.ts';
import { renderRdpFile } from '../rdp/index.ts';
import { createCommandLine } from './commandline.ts';
import { createOrders } from './orders.ts';
import type { DemoWorld } from './world.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const SUBLET = 'sublet.dev/v1alpha1';
const POLL_MS = 25;
const DEADLINE_MS = 300_000;
const HANDSHAKE_MS = 30_000;

export type OrderedDesktop = {
  readonly address: string;
  readonly selectedProtocol: string;
  readonly readyAtMs: number;
  readonly rdpFile: string;
  /** Settings of `sublet` that make its user the desktop's owner. */
  readonly configPath: string;
};

/**
 * The reference fleet's story: a reseller, its customer and the customer's desktop, up to the handshake. The provider commits its price list, a panel orders reseller, plans and
 * customer through the API, and the customer its desktop by the command line. On a cluster that an earlier demo has left all of it is one push, and the customer restarts its desktop.
 */
export async function orderDesktop(world: DemoWorld, progress: Progress, signal: AbortSignal): Promise<OrderedDesktop> {
  const see = (what: string, get: () => Promise<string | undefined>) => waitFor(world, what, get, progress, signal);
  // What an earlier demo left in the cluster is declared whole: the fleet source would hold a repository without it.
  const isThere = (await read(world, SUBLET, ROOT_NAMESPACE, 'tenants', 'acme')) !== undefined;
  await (isThere ? orderByPush(world, progress, see) : orderByApi(world, progress, see, signal));
  const commandLine = await createCommandLine({ world, progress, signal, user: ANNA, tenant: 'acme--bob' });
  if (isThere) await commandLine.order('a restart of desktop anna-desk', RESTART);
  else await commandLine.order('desktop anna-desk', ORDER);
  await see("the desktop's disk is cloned from the image", () =>
    phase(world, 'cdi.kubevirt.io/v1beta1', 'datavolumes', 'Succeeded'),
  );
  await see('its virtual machine runs', () => phase(world, 'kubevirt.io/v1', 'virtualmachineinstances', 'Running'));
  await see('the desktop answered RDP: it is Ready', () => ready(world, 'rdpinstances', 't-acme--bob', 'anna-desk'));
  const readyAtMs = Date.now();

  const desktop = await read(world, SUBLET, 't-acme--bob', 'rdpinstances', 'anna-desk');
  const { address, port } = parseAddress(desktop?.status);
  const selectedProtocol = await shakeHands(address, port, signal);
  progress.step(`RDP handshake with ${address}:${port}: the server selected ${selectedProtocol}`);
  const rdpFile = path.join(world.checkout, '..', 'anna-desk.rdp');
  await writeFile(rdpFile, renderRdpFile({ address, port, username: 'anna', title: 'anna-desk' }));
  progress.step('its .rdp file:');
  for (const line of (await readFile(rdpFile, 'utf8')).split('\r\n').filter((text) => text !== ''))
    progress.detail(line);
  return { address: `${address}:${port}`, selectedProtocol, readyAtMs, rdpFile, configPath: commandLine.configPath };
}

type See = (what: string, get: () => Promise<string | undefined>) => Promise<void>;

async function orderByPush(world: DemoWorld, progress: Progress, see: See): Promise<void> {
  const tenants = path.join('tenants', world.environment);
  await cp(path.join(ROOT, tenants), path.join(world.checkout, tenants), { recursive: true });
  const commit = await world.push('Order a reseller, a customer and a desktop');
  progress.step(`pushed commit ${commit.slice(0, 8)}: reseller acme, its customer bob, bob's desktop anna-desk`);
  await seeRoot(world, see);
  await see('tenant acme has its namespace', () => ready(world, 'tenants', 'sublet-root', 'acme'));
  await see('tenant acme--bob, sold by acme, has its namespace', () => ready(world, 'tenants', 't-acme', 'bob'));
  await see('the desktop is there', () => ready(world, 'rdpinstances', 't-acme--bob', 'anna-desk'));
}

async function orderByApi(world: DemoWorld, progress: Progress, see: See, signal: AbortSignal): Promise<void> {
  const { url, tokenFor } = world.api;
  const tenants = path.join('tenants', world.environment);
  const isPriceList = (file: string): boolean => path.basename(file) !== 'acme.yaml';
  const root = path.join(tenants, ROOT_NAMESPACE);
  await cp(path.join(ROOT, root), path.join(world.checkout, root), { recursive: true, filter: isPriceList });
  const commit = await world.push('Begin with the price list');
  progress.step(`pushed commit ${commit.slice(0, 8)}: the provider's price list`);
  await seeRoot(world, see);
  await see('the price list can be ordered from', () => ready(world, 'plans', ROOT_NAMESPACE, 'team'));
  const orders = createOrders({ server: url, tokenFor, progress, folder: path.join(ROOT, tenants), signal });
  await orders.order(PROVIDER, 'reseller acme', 'sublet-root/acme.yaml', ({ post }, body) =>
    post('/v1/tenants/{path}/tenants', { path: { path: '-' }, body }),
  );
  await orders.order(ACME_OWNER, 'plan pro', 't-acme/pro.yaml', ({ post }, body) =>
    post('/v1/tenants/{path}/plans', { path: { path: 'acme' }, body }),
  );
  await orders.order(ACME_OWNER, 'plan studio', 't-acme/studio.yaml', ({ post }, body) =>
    post('/v1/tenants/{path}/plans', { path: { path: 'acme' }, body }),
  );
  await orders.order(ACME_OWNER, 'customer bob', 't-acme/bob.yaml', ({ post }, body) =>
    post('/v1/tenants/{path}/tenants', { path: { path: 'acme' }, body }),
  );
}

/** Members of the reference fleet's tenants. */
const ACME_OWNER = 'oidc:acme-owner';
const ANNA = 'oidc:anna';

const WAIT = ['--wait', '-o', 'name'];
/** What tenants/ has as t-acme--bob/anna-desk.yaml. */
const ORDER = 'desktop new anna-desk --plan pro --image ubuntu-24 --username anna'.split(' ').concat(WAIT);
const RESTART = 'desktop restart anna-desk'.split(' ').concat(WAIT);

const seeRoot = (world: DemoWorld, see: See): Promise<void> =>
  see('the fleet source published the first folder', () =>
    ready(world, 'externalartifacts', 'sublet-fleet', ROOT_NAMESPACE, 'source.toolkit.fluxcd.io/v1'),
  );

type Live = {
  readonly status?: {
    readonly conditions?: readonly Condition[];
    readonly phase?: string;
    readonly [field: string]: unknown;
  };
};
type Condition = { readonly type: string; readonly status: string; readonly reason: string; readonly message: string };

async function waitFor(
  world: DemoWorld,
  what: string,
  get: () => Promise<string | undefined>,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  let seen: string | undefined = 'nothing yet';
  while (Date.now() < deadline) {
    signal.throwIfAborted();
    seen = await get();
    if (seen === undefined) return progress.step(what);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new Error(
    `"${what}" did not happen within ${DEADLINE_MS / 1_000} s; last seen: ${seen}\n${await world.logTail()}`,
  );
}

/** `undefined` once the object is Ready, else what it says. */
async function ready(world: DemoWorld, plural: string, namespace: string, name: string, group = SUBLET) {
  const object = await read(world, group, namespace, plural, name);
  const condition = object?.status?.conditions?.find(({ type }) => type === 'Ready');
  return condition?.status === 'True' ? undefined : `${plural}/${name}: ${condition?.message ?? 'no status yet'}`;
}

async function phase(world: DemoWorld, group: string, plural: string, wanted: string) {
  const object = await read(world, group, 't-acme--bob', plural, 'rdp-anna-desk');
  return object?.status?.phase === wanted ? undefined : `${plural}: ${object?.status?.phase ?? 'none yet'}`;
}

async function read(
  world: DemoWorld,
  group: string,
  namespace: string,
  plural: string,
  name: string,
): Promise<Live | undefined> {
  const object = await world.read(`/apis/${group}/namespaces/${namespace}/${plural}/${name}`);
  return object as Live | undefined;
}

function parseAddress(status: Live['status']): { readonly address: string; readonly port: number } {
  const { address, port } = status ?? {};
  if (typeof address !== 'string' || typeof port !== 'number')
    throw new Error('the desktop is Ready without an address');
  return { address, port };
}

/** A client's first exchange with the desktop, over the address that its customer gets. */
async function shakeHands(host: string, port: number, signal: AbortSignal): Promise<string> {
  const options = { timeoutMs: HANDSHAKE_MS, signal };
  const result = await probeDesktop({ dial: dialTcp, clock: realClock }, { host, port }, options);
  if (result.answered) return result.selectedProtocol;
  throw new Error(`no handshake with ${host}:${port}: ${result.why}`);
}
