import { pino } from 'pino';
import { type Client, changeOf, waitForChange } from '../../client/index.ts';
import { createClient } from '../../kube/client.ts';
import { realClock, realRandom } from '../../kube/clock.ts';
import { startCluster } from '../cluster/cluster.ts';
import { type ApiProcess, startApiProcess } from '../support/api.ts';
import { startWorld, type World } from '../support/world.ts';
import { type FleetSetting, growTo, renderCount } from './fleet.ts';
import { defineBench, type Print } from './lib/bench.ts';
import { describeEnvironment } from './lib/environment.ts';
import { OFFER_NAME, renderTitle } from './lib/fleetfiles.ts';
import type { OptionValues } from './lib/options.ts';
import type { Report } from './lib/report.ts';
import { computeQuantile, renderNumber } from './lib/stats.ts';
import { renderTable } from './lib/table.ts';
import { tenantNames } from './lib/workload.ts';

const OPTIONS = {
  folders: { kind: 'integer', help: 'tenant folders of the large fleet', fallback: 1_000, min: 2, max: 5_000 },
  between: { kind: 'integer', help: 'tenant folders of the fleet in between', fallback: 100, min: 1, max: 5_000 },
  orders: { kind: 'integer', help: 'orders timed at each size', fallback: 20, min: 5, max: 1_000 },
  timeout: {
    kind: 'integer',
    help: 'longest time for a fleet to come up, in seconds',
    fallback: 1_800,
    min: 10,
    max: 36_000,
  },
} as const;

/** P14 as who orders by HTTP sees it. */
export const change = defineBench({
  summary:
    'P14 as who orders sees it: from a request over the commit and Flux to the change being Ready, at three sizes',
  options: OPTIONS,
  examples: [
    ['', 'at 1, 100 and 1 000 tenant folders'],
    ['--between 5 --folders 20 --orders 5', 'a quick look'],
  ],
  run,
});

/** The size that the mark in seconds is stated for. */
const JUDGED_FOLDERS = 1_000;
const ORDER_TIMEOUT_MS = 120_000;
const PAUSE_MS = 500;

const STATES = ['Accepted', 'Committed', 'Applied', 'Ready'] as const;
/** Seconds from sending the request until its answer, and until the client heard of each of the other states. */
type Sample = Readonly<Record<(typeof STATES)[number], number>>;
type Values = OptionValues<typeof OPTIONS>;
type Measured = { readonly folders: number; readonly samples: readonly Sample[] };

async function run(values: Values, print: Print): Promise<Report> {
  const cluster = await startCluster({ flux: true, log: print });
  try {
    const world = await startWorld({ cluster, simulator: ['--quick'], log: print });
    const log = pino({ level: 'error' });
    const client = createClient({ clock: realClock, random: realRandom, log, kubeConfig: cluster.kubeConfig });
    try {
      for (const line of describeEnvironment({ Flux: 'source- and kustomize-controller 1.9.5' })) print(line);
      const names = tenantNames('order', values.folders);
      const sizes = [...new Set([1, values.between, values.folders])].sort((a, b) => a - b);
      let api: ApiProcess | undefined;
      const measured: Measured[] = [];
      try {
        for (const folders of sizes) {
          await grow({ world, client, names: names.slice(0, folders), values, print });
          api ??= await startApiProcess(cluster, world.environment);
          measured.push({ folders, samples: await measureAt(api, names.slice(0, folders), values, print) });
        }
      } finally {
        await api?.stop();
      }
      return evaluate(measured, values, print);
    } finally {
      await client.close();
      await world.stop();
    }
  } finally {
    await cluster.stop();
  }
}

/** What the API committed meanwhile is below the new folders. */
async function grow(setting: FleetSetting): Promise<void> {
  await takeOver(setting.world);
  await growTo(setting);
}

async function takeOver(world: World): Promise<void> {
  await world.git('fetch', '--quiet', 'origin');
  const branches = await world.git('branch', '--remotes', '--list', 'origin/main');
  if (branches.trim() !== '') await world.git('reset', '--quiet', '--hard', 'origin/main');
}

/** One order after the other, each in another folder; the first opens the repository and is not counted. */
async function measureAt(
  api: ApiProcess,
  names: readonly string[],
  { orders }: Values,
  print: Print,
): Promise<readonly Sample[]> {
  const samples: Sample[] = [];
  for (let order = 0; order <= orders; order++) {
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    const name = names[Math.floor((order * names.length) / (orders + 1))] ?? '';
    const title = renderTitle(name, names.length * (orders + 1) + order);
    const sample = await timeOrder(await api.clientFor(`oidc:${name}`), name, title);
    if (order > 0) samples.push(sample);
    const states = STATES.map((state) => `${state} ${renderNumber(sample[state])} s`).join(', ');
    print(`  ${renderCount(names.length)}, order ${order}: ${states}`);
  }
  return samples;
}

async function timeOrder(client: Client, tenant: string, title: string): Promise<Sample> {
  const request = { path: { path: tenant, name: OFFER_NAME }, body: { spec: { title } } };
  const startMs = performance.now();
  const answer = await client.patch('/v1/tenants/{path}/plans/{name}', request as never);
  const seen = new Map<string, number>();
  const see = (state: string): void => {
    if (!seen.has(state)) seen.set(state, (performance.now() - startMs) / 1_000);
  };
  see('Accepted');
  const accepted = changeOf(answer);
  if (accepted === undefined) throw new Error(`the order of ${tenant} changed nothing`);
  const end = await waitForChange(client, accepted.id, {
    until: 'Ready',
    timeoutMs: ORDER_TIMEOUT_MS,
    onState: ({ state }) => see(state),
  });
  if (end.state !== 'Ready') throw new Error(`the order of ${tenant} ended as ${end.state}: ${end.message ?? ''}`);
  // A state that was over before it could be heard of was there when the next was.
  const at = (index: number): number => {
    const state = STATES[index];
    if (state === undefined) return Number.NaN;
    return seen.get(state) ?? at(index + 1);
  };
  return { Accepted: at(0), Committed: at(1), Applied: at(2), Ready: at(3) };
}

function evaluate(measured: readonly Measured[], { folders, orders }: Values, print: Print): Report {
  const of = (samples: readonly Sample[], state: keyof Sample, q: number): number =>
    computeQuantile(
      samples.map((sample) => sample[state]),
      q,
    );
  const rows = measured.flatMap(({ folders: size, samples }) =>
    STATES.map((state) => [
      `${renderCount(size)}, ${state}`,
      ...[0, 0.5, 0.95, 1].map((q) => renderNumber(of(samples, state, q))),
    ]),
  );
  print('');
  print(renderTable(['seconds from the request', 'min', 'p50', 'p95', 'max'], rows));
  const p95 = (one: Measured | undefined): number => of(one?.samples ?? [], 'Ready', 0.95);
  const unjudged = folders < JUDGED_FOLDERS ? `the mark is for ${JUDGED_FOLDERS} folders` : undefined;
  return {
    targets: [
      {
        id: 'P14',
        what: `order to Ready, p95 at ${folders} folders / at 1 folder, ${orders} orders each`,
        value: p95(measured.at(-1)) / p95(measured[0]),
        better: 'lower',
        pass: 2,
        aim: 1.1,
      },
      {
        id: 'P14_seconds',
        what: `order to Ready, p95 in seconds at ${folders} folders`,
        value: p95(measured.at(-1)),
        better: 'lower',
        pass: 3,
        aim: 1,
        unjudged,
      },
    ],
    losses: [],
    invalid: [],
  };
}
