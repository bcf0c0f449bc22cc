import { pino } from 'pino';
import { TENANTS } from '../../crds/v1alpha1/resources.ts';
import type { Client } from '../../kube/client.ts';
import { realClock, realRandom } from '../../kube/clock.ts';
import { createInformer } from '../../kube/informer.ts';
import { type ReflectorTarget, runReflector } from '../../kube/reflector.ts';
import type { Transport } from '../../kube/transport.ts';
import { openWatch } from '../../kube/watch.ts';
import { defineBench, type Print } from './lib/bench.ts';
import { describeEnvironment } from './lib/environment.ts';
import { computeTurns } from './lib/order.ts';
import type { Report } from './lib/report.ts';
import { computeMedian, renderNumber, renderSummary, summarize } from './lib/stats.ts';
import { renderTable } from './lib/table.ts';
import { buildWatchLines, cutIntoChunks } from './lib/watchbytes.ts';

const OPTIONS = {
  tenants: { kind: 'integer', help: 'Tenants whose objects are on the watch', fallback: 200, min: 10, max: 20_000 },
  reps: { kind: 'integer', help: 'repetitions', fallback: 75, min: 1, max: 10_000 },
} as const;

/** P11. Samples are short and many, so that a neighbour on the machine spoils some of them and not their median. */
export const decode = defineBench({
  summary: "P11: the reflector's watch decoding against bare JSON.parse of the same bytes; no cluster",
  options: OPTIONS,
  examples: [
    ['', 'the figure as targets.md wants it'],
    ['--tenants 100 --reps 5', 'a quick look'],
  ],
  run: async ({ tenants, reps }, print) => run(tenants, reps, print),
});

type Input = { readonly lines: readonly Buffer[]; readonly chunks: readonly Buffer[]; readonly bytes: number };
type Sample = { readonly seconds: number; readonly cpuSeconds: number; readonly objects: number };
type Contender = { readonly name: string; readonly decode: (input: Input) => Promise<number> };

const BARE: Contender = { name: 'bare JSON.parse', decode: async ({ lines }) => parseBare(lines) };
const REFLECTOR: Contender = { name: 'reflector', decode: ({ chunks, lines }) => reflect(chunks, lines.length) };
const INFORMER: Contender = { name: 'informer', decode: ({ chunks, lines }) => inform(chunks, lines.length) };
const CONTENDERS = [BARE, REFLECTOR, INFORMER];

async function run(tenants: number, reps: number, print: Print): Promise<Report> {
  const lines = buildWatchLines(tenants);
  const chunks = cutIntoChunks(lines);
  const input = { lines, chunks, bytes: lines.reduce((sum, line) => sum + line.length, 0) };
  for (const line of describeEnvironment()) print(line);
  print(
    `${lines.length} watch lines, ${(input.bytes / 1e6).toFixed(1)} MB, ${Math.round(input.bytes / lines.length)} bytes a line`,
  );
  for (const contender of [...CONTENDERS, ...CONTENDERS]) await measure(contender, input);
  const samples = new Map<Contender, Sample[]>(CONTENDERS.map((contender) => [contender, []]));
  for (const { contender } of computeTurns(CONTENDERS, reps)) {
    samples.get(contender)?.push(await measure(contender, input));
  }
  const of = (contender: Contender): readonly Sample[] => samples.get(contender) ?? [];
  const ratios = (contender: Contender): readonly number[] =>
    of(contender).map((sample, index) => (of(BARE)[index]?.seconds ?? Number.NaN) / sample.seconds);
  const rows = CONTENDERS.map((contender) => [
    contender.name,
    renderSummary(summarize(of(contender).map(({ seconds }) => input.bytes / 1e6 / seconds))),
    renderSummary(summarize(of(contender).map(({ cpuSeconds }) => cpuSeconds))),
    renderSummary(summarize(ratios(contender))),
  ]);
  print('');
  print(renderTable(['', 'MB/s', 'CPU-seconds', 'rate / bare'], rows));
  const short = CONTENDERS.filter((contender) => of(contender).some(({ objects }) => objects !== lines.length));
  const stored = computeMedian(ratios(INFORMER));
  return {
    targets: [
      {
        id: 'P11',
        what: `watch decoding of the reflector / bare JSON.parse, ${reps} repetitions`,
        value: computeMedian(ratios(REFLECTOR)),
        better: 'higher',
        pass: 0.8,
        aim: 0.95,
      },
    ],
    losses: stored < 1 ? [`decoding into an informer's store: ${renderNumber(stored)} of bare JSON.parse`] : [],
    invalid: short.map(({ name }) => `${name} did not deliver ${lines.length} objects`),
  };
}

async function measure(contender: Contender, input: Input): Promise<Sample> {
  const cpu = process.cpuUsage();
  const startMs = performance.now();
  const objects = await contender.decode(input);
  const seconds = (performance.now() - startMs) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  return { seconds, cpuSeconds: (user + system) / 1e6, objects };
}

function parseBare(lines: readonly Buffer[]): number {
  let objects = 0;
  for (const line of lines) {
    const parsed: unknown = JSON.parse(line.toString('utf8'));
    if (typeof parsed === 'object') objects += 1;
  }
  return objects;
}

/** From the bytes of a connection to the calls on a reflector's target, all of it the reflector's own code. */
async function reflect(chunks: readonly Buffer[], expected: number): Promise<number> {
  const stop = new AbortController();
  let objects = 0;
  const target: ReflectorTarget = {
    listing: () => {},
    replace: () => {},
    change: () => {
      objects += 1;
      if (objects === expected) stop.abort();
    },
    progress: () => {},
    available: () => {},
  };
  await runReflector(
    buildDeps(chunks),
    { resource: TENANTS, listMode: 'paged', pageSize: 500, watchSeconds: 24 },
    target,
    stop.signal,
  );
  return objects;
}

/** The same, and into the store. */
async function inform(chunks: readonly Buffer[], expected: number): Promise<number> {
  const stop = new AbortController();
  const informer = createInformer(buildDeps(chunks), { resource: TENANTS });
  let objects = 0;
  const count = (): void => {
    objects += 1;
    if (objects === expected) stop.abort();
  };
  // Objects of two kinds may have one name, and this store takes them for one object.
  informer.addEventHandler({ onAdd: count, onUpdate: count });
  await informer.start(stop.signal);
  return objects;
}

function buildDeps(chunks: readonly Buffer[]) {
  const log = pino({ enabled: false });
  return { client: buildClient(chunks), clock: realClock, random: realRandom, log };
}

/** A client whose list is empty and whose watch plays the chunks; everything else is not called. */
function buildClient(chunks: readonly Buffer[]): Client {
  const refuse = () => Promise.reject(new Error('a reflector only lists and watches'));
  return {
    list: async () => ({ apiVersion: 'v1', kind: 'List', metadata: { resourceVersion: '1' }, items: [] }),
    watch: (_, { signal }) => openWatch(buildTransport(chunks), { call: 'watch', path: '/', accept: '' }, signal),
    get: refuse,
    create: refuse,
    update: refuse,
    apply: refuse,
    patch: refuse,
    delete: refuse,
    close: async () => {},
  };
}

/** Hands over one chunk a turn of the event loop, as a socket does, and waits while the reader asks it to. */
function buildTransport(chunks: readonly Buffer[]): Transport {
  return {
    call: () => Promise.reject(new Error('a watch makes no calls')),
    stream: (_, sink) => {
      let next = 0;
      let paused = false;
      let ended = false;
      let waiting = false;
      const schedule = (): void => {
        if (waiting) return;
        waiting = true;
        setImmediate(send);
      };
      const send = (): void => {
        waiting = false;
        if (paused || ended) return;
        const chunk = chunks[next];
        next += 1;
        if (chunk === undefined) {
          ended = true;
          sink.onEnd(undefined);
          return;
        }
        sink.onData(chunk);
        schedule();
      };
      schedule();
      return {
        cancel: () => {
          ended = true;
        },
        pause: () => {
          paused = true;
        },
        resume: () => {
          paused = false;
          schedule();
        },
      };
    },
    close: async () => {},
  };
}
