import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RunningApi, startApi } from '../../cli/testing/api.ts';
import { realClock, realRandom } from '../../kube/clock.ts';
import { createTestLog } from '../../kube/testing/testlog.ts';
import { pickPorts } from '../../test/cluster/ports.ts';
import { ApiConfig } from '../config.ts';
import { readBlocks, runBash } from '../testing/guide.ts';
import { describeChange, describeDesktop, describeTenant, EVENT_TYPES, TEST_EVENT } from './events.ts';
import { createOutbox } from './outbox.ts';
import { createPost, type Post } from './post.ts';
import { type Sender, startSender } from './sender.ts';
import { mintSecret, renderHeaders } from './signature.ts';

const GUIDE = path.join(import.meta.dirname, '..', '..', 'docs', 'guides', 'webhooks.md');
const HOOK = 'https://hooks.example.com/sublet';
const TIMEOUT_MS = 600_000;
const UP_MS = 120_000;
const { log } = createTestLog();

let guide = '';
let folder = '';
let running: RunningApi;
let port = 0;
let receiver: ChildProcess | undefined;
let printed = '';
let sender: Sender | undefined;

beforeAll(async () => {
  guide = await readFile(GUIDE, 'utf8');
  folder = await mkdtemp(path.join(tmpdir(), 'sublet-webhooks-guide-'));
  running = await startApi();
  // The receiver goes by the time of the day.
  running.api.clock.step(Date.now() - running.api.clock.now());
}, TIMEOUT_MS);
afterAll(async () => {
  await sender?.stop();
  receiver?.kill();
  await running.stop();
  await rm(folder, { recursive: true, force: true });
});

it(
  'the guide to webhooks has commands that work, and a receiver that takes what is genuine, once',
  async () => {
    const env = { API: running.url, TOKEN: await running.tokenOf('anna'), HOOK };
    const out = await runBash(readBlocks(guide, 'bash').join('\n'), folder, env);
    const lines = out.trim().split('\n');
    expect(lines).toContain('webhook.test Pending');
    expect(lines).toContain('Pending');
    expect(lines).toContain('0 replayed');
    expect(lines).toContain('enabled: true');
    expect(await readFile(path.join(folder, 'secret'), 'utf8')).toMatch(/^whsec_\S+\n$/);

    // Again without the end, so that something is there to be received.
    const [setUp = '', made = '', tried = ''] = readBlocks(guide, 'bash');
    await runBash([setUp, made, tried].join('\n'), folder, env);
    await startReceiver();
    sender = startLocalSender();
    await expect.poll(() => printed, { timeout: 120_000 }).toContain(`"type":"${TEST_EVENT}"`);
    const secret = (await readFile(path.join(folder, 'secret'), 'utf8')).trim();
    const nowSeconds = Math.floor(Date.now() / 1_000);
    const message = { id: `msg_${'f'.repeat(32)}`, timestampSeconds: nowSeconds, body: '{"type":"desktop.ready"}' };
    const call = async (headers: Readonly<Record<string, string>>, body = message.body) =>
      (await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', headers, body })).status;
    const genuine = renderHeaders(message, [mintSecret(realRandom), secret]);
    expect(await call(genuine)).toBe(204);
    expect(await call(genuine)).toBe(204);
    // It answers before it prints, and what it prints comes another way.
    await expect.poll(() => printed.split('desktop.ready')).toHaveLength(2);
    expect(await call(genuine, '{"type":"desktop.ready","more":1}')).toBe(401);
    expect(await call(renderHeaders(message, [mintSecret(realRandom)]))).toBe(401);
    expect(await call(renderHeaders({ ...message, timestampSeconds: nowSeconds - 600 }, [secret]))).toBe(401);
    expect(await call({})).toBe(401);
    expect(printed.split('desktop.ready')).toHaveLength(2);
  },
  TIMEOUT_MS,
);

it('names every event, and settings that are taken', () => {
  for (const type of [...EVENT_TYPES, TEST_EVENT]) expect(guide).toContain(`| \`${type}\` |`);
  const [message = '', settings = ''] = readBlocks(guide, 'json');
  expect(EVENT_TYPES).toContain(JSON.parse(message).type);
  expect(ApiConfig.parse(JSON.parse(settings)).webhooks.allowedHosts).toEqual(['127.0.0.1:3000']);
});

it('names the fields of every event', () => {
  const condition = { status: 'True', message: 'm', lastTransitionTime: '2026-01-01T00:00:00Z' } as const;
  const object = { metadata: { name: 'n' }, spec: { id: 'n-1' } };
  const withConditions = (...conditions: object[]) =>
    ({ ...object, status: { address: 'a', port: 1, conditions } }) as never;
  const described = [
    describeDesktop(withConditions({ ...condition, type: 'Ready', reason: 'Succeeded' })),
    describeDesktop(withConditions({ ...condition, type: 'Stalled', reason: 'PlanNotFound' })),
    describeTenant(withConditions({ ...condition, type: 'Suspended', reason: 'Suspended' })),
    describeChange({
      id: 'i',
      state: 'Failed',
      reason: 'r',
      message: 'm',
      updatedAtMs: 0,
      intent: { target: { kind: 'k', namespace: 'ns', name: 'n' } },
    } as never),
  ];
  for (const happening of described) {
    const row = guide.split('\n').find((line) => line.startsWith(`| \`${happening?.type}\` |`));
    const named = [...(row?.split('|')[3] ?? '').matchAll(/`(\w+)`/g)].map(([, name]) => name);
    expect(named.sort(), happening?.type).toEqual(Object.keys(happening?.data ?? {}).sort());
  }
});

/** Sends to the receiver of the guide what is for its address on the internet. */
function startLocalSender(): Sender {
  const outbox = createOutbox({ db: running.api.db, listen: () => () => {} });
  const local = createPost({ clock: realClock }, { allowedHosts: [`127.0.0.1:${port}`], protocols: ['http'] });
  const post: Post = (url, message, signal) => {
    expect(url).toBe(HOOK);
    return local(`http://127.0.0.1:${port}/`, message, signal);
  };
  return startSender({ clock: realClock, random: realRandom, log, outbox, post });
}

/** The guide's, on the secret that the guide's commands kept; on another port when somebody else took the first one. */
async function startReceiver(): Promise<void> {
  const [script = ''] = readBlocks(guide, 'js');
  const file = path.join(folder, 'receiver.mjs');
  await writeFile(file, script);
  const secret = await readFile(path.join(folder, 'secret'), 'utf8');
  for (let n = 0; n < 5; n++) {
    [port = 0] = await pickPorts(1);
    const env = { SECRET: secret, PORT: String(port) };
    const child = spawn(process.execPath, [file], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    receiver = child;
    child.stdout.on('data', (chunk: Buffer) => {
      printed += chunk.toString();
    });
    if (await isUp(child)) return;
    child.kill();
  }
  throw new Error('the receiver of the guide does not listen');
}

async function isUp(child: ChildProcess): Promise<boolean> {
  const untilMs = Date.now() + UP_MS;
  while (child.exitCode === null && Date.now() < untilMs) {
    const answers = await fetch(`http://127.0.0.1:${port}/`).then(
      () => true,
      () => false,
    );
    if (answers) return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return false;
}
