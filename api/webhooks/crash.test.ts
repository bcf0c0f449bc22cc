import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Clock, realClock, realRandom } from '../../kube/clock.ts';
import { createTestLog } from '../../kube/testing/testlog.ts';
import { openStore } from '../../store/store.ts';
import { createEndpoints } from './endpoints.ts';
import { createOutbox } from './outbox.ts';
import { createPost } from './post.ts';
import { CLAIM_MS, startSender } from './sender.ts';
import { mintSecret } from './signature.ts';
import { isSignedWith, type Receiver, startReceiver } from './testing/receiver.ts';

/** For a machine that does many other things. */
const SLOW_MS = 600_000;
const { log } = createTestLog();
const event = `msg_${'a'.repeat(32)}`;
const body = '{"type":"desktop.ready","timestamp":"2026-11-26T00:00:00.000Z","data":{"tenant":"acme"}}';

let folder = '';
let receiver: Receiver;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sublet-webhooks-'));
  receiver = await startReceiver();
});
afterAll(async () => {
  await receiver.close();
  await rm(folder, { recursive: true, force: true });
});

it(
  'is sent again, with the same id, when its sender was killed before it wrote down that it was delivered',
  async () => {
    const deps = { clock: realClock, random: realRandom, log };
    const database = path.join(folder, 'database');
    const secret = mintSecret(realRandom);
    const first = await openStore(deps, { type: 'Embedded', folder: database });
    const endpoint = { id: '0'.repeat(20), tenantId: 'acme-1', url: `${receiver.url}/hook`, description: '' };
    const rest = { events: ['desktop.ready'], secret, maker: 'oidc:anna', atMs: Date.now() } as const;
    await createEndpoints(first.db).add({ ...endpoint, ...rest });
    const message = { id: event, type: 'desktop.ready', tenantIds: ['acme-1'], body, occurredAtMs: Date.now() };
    expect(await createOutbox(first).put([message], Date.now())).toBe(1);
    await first.close();

    const child = await startChild(database);
    receiver.answer = (_message, response) => {
      child.kill('SIGKILL');
      child.once('close', () => response.writeHead(204).end());
    };
    await new Promise((resolve) => child.once('close', resolve));
    expect(child.signalCode).toBe('SIGKILL');
    expect(receiver.received.map(({ id }) => id)).toEqual([event]);

    receiver.answer = (_message, response) => void response.writeHead(204).end();
    const store = await openStore(deps, { type: 'Embedded', folder: database });
    const outbox = createOutbox(store);
    expect(await outbox.find(endpoint.id, event)).toMatchObject({ state: 'Pending', attempts: 1 });
    // A minute later, when the claim of the dead one has run out.
    const later: Clock = { ...realClock, now: () => Date.now() + CLAIM_MS };
    const policy = { allowedHosts: [`127.0.0.1:${receiver.port}`], protocols: ['https'] } as const;
    const sender = startSender({ clock: later, random: realRandom, log, outbox, post: createPost(deps, policy) });
    await expect
      .poll(async () => (await outbox.find(endpoint.id, event))?.state, { timeout: 200_000 })
      .toBe('Delivered');
    await sender.stop();
    await store.close();
    expect(receiver.received.map(({ id }) => id)).toEqual([event, event]);
    for (const message of receiver.received) {
      expect(message.body).toBe(body);
      expect(isSignedWith(message, secret)).toBe(true);
    }
  },
  SLOW_MS,
);

/** A sender in a process of its own. */
async function startChild(database: string): Promise<ChildProcess> {
  const script = path.join(folder, 'sender.ts');
  const certificate = path.join(folder, 'receiver.pem');
  const file = (...names: string[]): string => JSON.stringify(path.join(import.meta.dirname, ...names));
  await writeFile(certificate, receiver.certificate);
  await writeFile(
    script,
    `import { realClock, realRandom } from ${file('..', '..', 'kube', 'clock.ts')};
import { openStore } from ${file('..', '..', 'store', 'store.ts')};
import { createOutbox } from ${file('outbox.ts')};
import { createPost } from ${file('post.ts')};
import { startSender } from ${file('sender.ts')};
const log = { debug() {}, info() {}, warn() {}, error() {} };
const deps = { clock: realClock, random: realRandom, log };
const store = await openStore(deps, { type: 'Embedded', folder: ${JSON.stringify(database)} });
const post = createPost(deps, { allowedHosts: ['127.0.0.1:${receiver.port}'], protocols: ['https'] });
startSender({ ...deps, outbox: createOutbox(store), post });
`,
  );
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: certificate };
  return spawn(process.execPath, [script], { env, stdio: ['ignore', 'inherit', 'inherit'] });
}
