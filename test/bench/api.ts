import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import path from 'node:path';
import { defineBench, type Print } from './lib/bench.ts';
import { describeEnvironment } from './lib/environment.ts';
import { computeTurns } from './lib/order.ts';
import type { Report } from './lib/report.ts';
import { computeMedian, renderNumber, renderSummary, summarize } from './lib/stats.ts';
import { renderTable } from './lib/table.ts';
import type { ReadsReady, ReadsUsage } from './roles/reads.ts';

const OPTIONS = {
  requests: { kind: 'integer', help: 'requests of one sample', fallback: 10_000, min: 100, max: 1_000_000 },
  connections: { kind: 'integer', help: 'connections at the same time', fallback: 16, min: 1, max: 256 },
  reps: { kind: 'integer', help: 'repetitions', fallback: 7, min: 1, max: 1_000 },
} as const;

/** P15. Both servers are in one process of their own; the load comes over raw sockets, which cost less than what they measure. */
export const api = defineBench({
  summary: 'P15: reads of the API with authentication, authorisation and validation against bare node:http; no cluster',
  options: OPTIONS,
  examples: [
    ['', 'the figure as targets.md wants it'],
    ['--requests 1000 --reps 3', 'a quick look'],
  ],
  run: async (values, print) => run(values, print),
});

type Settings = { readonly requests: number; readonly connections: number; readonly reps: number };
type Contender = { readonly name: 'bare node:http' | 'api'; readonly port: number };
type Sample = { readonly seconds: number; readonly cpuSeconds: number; readonly failed: number };

const ENTRY = path.join(import.meta.dirname, 'roles', 'reads.ts');
/** Under what one user may ask in a minute. */
const REQUESTS_OF_USER = 900;

async function run(settings: Settings, print: Print): Promise<Report> {
  const total = settings.requests * (settings.reps + 1);
  const child = fork(ENTRY, [String(Math.ceil(total / REQUESTS_OF_USER) + settings.connections)], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  try {
    const [ready] = (await once(child, 'message')) as [ReadsReady];
    for (const line of describeEnvironment()) print(line);
    print(
      `${settings.requests} reads of ${ready.bodyBytes} bytes a sample over ${settings.connections} connections, ${ready.tokens.length} users`,
    );
    return await measureAll(settings, ready, child, print);
  } finally {
    child.send('stop');
    await once(child, 'exit');
  }
}

async function measureAll(settings: Settings, ready: ReadsReady, child: ChildProcess, print: Print): Promise<Report> {
  const bare: Contender = { name: 'bare node:http', port: ready.barePort };
  const ours: Contender = { name: 'api', port: ready.apiPort };
  const contenders = [bare, ours];
  let next = 0;
  const takeToken = (): string => {
    next += 1;
    return ready.tokens[next % ready.tokens.length] ?? '';
  };
  const measure = async ({ port }: Contender): Promise<Sample> => {
    const cpuBefore = await askUsage(child);
    const startMs = performance.now();
    const failed = await load(settings, port, ready.path, takeToken);
    const seconds = (performance.now() - startMs) / 1_000;
    return { seconds, cpuSeconds: (await askUsage(child)) - cpuBefore, failed };
  };
  for (const contender of contenders) await measure(contender);
  const samples = new Map<Contender, Sample[]>(contenders.map((contender) => [contender, []]));
  for (const { contender } of computeTurns(contenders, settings.reps))
    samples.get(contender)?.push(await measure(contender));
  return report(settings, bare, ours, samples, print);
}

function report(
  { requests, reps }: Settings,
  bare: Contender,
  ours: Contender,
  samples: ReadonlyMap<Contender, readonly Sample[]>,
  print: Print,
): Report {
  const of = (contender: Contender): readonly Sample[] => samples.get(contender) ?? [];
  const ratiosOf = (measure: (sample: Sample) => number): readonly number[] =>
    of(ours).map((sample, i) => measure(of(bare)[i] ?? sample) / measure(sample));
  const rows = [bare, ours].map((contender) => [
    contender.name,
    renderSummary(summarize(of(contender).map(({ seconds }) => requests / seconds))),
    renderSummary(summarize(of(contender).map(({ cpuSeconds }) => (cpuSeconds / requests) * 1e6))),
  ]);
  print('');
  print(renderTable(['', 'requests/s', 'CPU µs a request'], rows));
  const byCpu = computeMedian(ratiosOf(({ cpuSeconds }) => cpuSeconds));
  const failed = [bare, ours].flatMap((contender) => of(contender)).reduce((sum, sample) => sum + sample.failed, 0);
  print(`bare CPU a request / ours: ${renderNumber(byCpu)}`);
  return {
    targets: [
      {
        id: 'P15',
        what: `reads with authentication and validation / bare node:http, rate, ${reps} repetitions`,
        value: computeMedian(ratiosOf(({ seconds }) => seconds)),
        better: 'higher',
        pass: 0.5,
        aim: 0.85,
      },
    ],
    losses: [],
    invalid: failed === 0 ? [] : [`${failed} requests were not answered by 200`],
  };
}

async function askUsage(child: ChildProcess): Promise<number> {
  const answer = once(child, 'message') as Promise<[ReadsUsage]>;
  child.send('usage');
  return (await answer)[0].cpuSeconds;
}

/** Gives how many answers were not 200. */
async function load(
  { requests, connections }: Settings,
  port: number,
  url: string,
  takeToken: () => string,
): Promise<number> {
  let left = requests;
  const take = (): boolean => {
    left -= 1;
    return left >= 0;
  };
  const stayAwake = keepAwake();
  const failures = await Promise.all(Array.from({ length: connections }, () => converse(port, url, takeToken, take)));
  stayAwake.stop();
  return failures.reduce((sum, failed) => sum + failed, 0);
}

/** Looks for answers without sleeping: to wake who sleeps costs the server that answers, and only the slower one's clients would sleep. */
function keepAwake(): { stop(): void } {
  let isNeeded = true;
  const look = (): void => {
    if (isNeeded) setImmediate(look);
  };
  look();
  return {
    stop: () => {
      isNeeded = false;
    },
  };
}

const HEAD_END = Buffer.from('\r\n\r\n');

/** One connection: a request, its whole answer, the next. */
function converse(port: number, url: string, takeToken: () => string, take: () => boolean): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let failed = 0;
    let expected = -1;
    let received = 0;
    const ask = (): void => {
      if (!take()) {
        socket.destroy();
        resolve(failed);
        return;
      }
      socket.write(
        `GET ${url} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${takeToken()}\r\naccept: application/json\r\n\r\n`,
      );
    };
    socket.setNoDelay(true);
    socket.on('connect', ask);
    socket.on('error', reject);
    socket.on('data', (chunk: Buffer) => {
      if (expected < 0) {
        const end = chunk.indexOf(HEAD_END);
        const head = chunk.toString('latin1', 0, end);
        const length = /content-length: (\d+)/i.exec(head)?.[1];
        if (end < 0 || length === undefined) {
          socket.destroy();
          reject(new Error(`an answer that the bench cannot read: ${head.slice(0, 200)}`));
          return;
        }
        if (!head.startsWith('HTTP/1.1 200 ')) failed += 1;
        expected = end + HEAD_END.length + Number(length);
        received = 0;
      }
      received += chunk.length;
      if (received < expected) return;
      expected = -1;
      ask();
    });
  });
}
