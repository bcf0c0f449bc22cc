// One replica of the journal and the writer as the API has them, as a process of its own, so that it can be killed: accepts changes over HTTP and carries them out.
// It has nothing else of the API; `sublet api` itself is killed in `test/e2e/replicas.test.ts`.

import { createHash, randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { openGitRepository } from '../../../git/binary/repository.ts';
import type { Intent } from '../../../gitops/intent.ts';
import { createStoredJournal } from '../../../gitops/writer/journal/stored.ts';
import { startWriter } from '../../../gitops/writer/writer.ts';
import { realClock, realRandom } from '../../../kube/clock.ts';
import { openStore } from '../../../store/store.ts';

/** Handed over as JSON in the first argument. */
export type ReplicaOptions = {
  readonly name: string;
  readonly databaseUrl: string;
  /** The repository of a name is at `<gitUrl>/<name>.git`. */
  readonly gitUrl: string;
  readonly folder: string;
  readonly leaseMs: number;
};

/** What a client sends. */
export type Order = {
  readonly repository: string;
  readonly intent: Intent;
  readonly subject: string;
  readonly key: string;
};

const [argument] = process.argv.slice(2);
if (argument === undefined) throw new Error('usage: replica.ts <options as JSON>');
await serve(JSON.parse(argument));

async function serve({ name, databaseUrl, gitUrl, folder, leaseMs }: ReplicaOptions): Promise<void> {
  const deps = {
    clock: realClock,
    random: realRandom,
    log: pino({ level: 'warn', base: { replica: name } }, process.stderr),
  };
  await mkdir(folder, { recursive: true });
  const store = await openStore(deps, { type: 'Postgres', url: databaseUrl });
  const journal = createStoredJournal({ clock: realClock, store });
  startWriter(
    {
      ...deps,
      journal,
      open: async (repository) => ({
        repository: openGitRepository(
          { url: `${gitUrl}/${repository}.git`, branch: 'main', protocols: ['http'] },
          { folder, path: process.env.PATH ?? '' },
        ),
        branch: 'main',
        folderOf: (namespace) => ({ folder: `tenants/production/${namespace}` }),
        committer: { name: 'Sublet', email: 'sublet@example.com' },
        pushWindowMs: 0,
      }),
    },
    { holder: `${name}-${randomBytes(6).toString('hex')}`, leaseMs, pollMs: 1_000, reviewMs: 3_000, concurrency: 4 },
  );
  const accept = async (order: Order): Promise<unknown> => {
    const id = `I${createHash('sha1').update(randomBytes(20)).digest('hex')}`;
    const author = { subject: order.subject, name: order.subject, email: 'client@example.com' };
    const change = {
      id,
      repository: order.repository,
      intent: order.intent,
      mode: 'Commit',
      author,
      requestId: order.key,
    } as const;
    const digest = createHash('sha256').update(JSON.stringify(order.intent)).digest('hex');
    const answer = await journal.accept(change, { key: order.key, digest });
    return answer.type === 'key-reused' ? answer : { type: answer.type, id: answer.change.id };
  };
  const server = createServer((request, response) => {
    const answer = async (): Promise<unknown> => {
      if (request.method === 'POST') return await accept(JSON.parse(await readBody(request)) as Order);
      const change = await journal.find(request.url?.slice(1) ?? '');
      return change === undefined
        ? null
        : { state: change.state, differences: change.differences, reason: change.reason };
    };
    answer().then(
      (value) => response.end(JSON.stringify(value)),
      (error: unknown) => response.writeHead(503).end(String(error)),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
  // Whoever started it is gone: so is this.
  process.stdin.resume().once('end', () => process.exit(0));
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
