import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Credentials } from '../../git/binary/environment.ts';
import { openGitRepository } from '../../git/binary/repository.ts';
import { realClock, realRandom } from '../../kube/clock.ts';
import { createTestLog } from '../../kube/testing/testlog.ts';
import { createMemoryJournal } from './journal/memory.ts';
import { buildChange } from './journal/testing/contract.ts';
import { startWriter } from './writer.ts';

// Holds on a machine that is busy with much else.
vi.setConfig({ testTimeout: 200_000, hookTimeout: 120_000 });

const PASSWORD = 'p4ss/w0rd+of=the forge';
const BASIC: Credentials = { type: 'Basic', username: 'sublet', password: PASSWORD };
const BEARER: Credentials = { type: 'Bearer', token: 'gho_0123456789abcdef-token' };

type Echo = (said: string, response: ServerResponse) => void;

/** A forge that says back what it is told, in each place that git shows. */
const ECHOES: Readonly<Record<string, Echo>> = {
  'in a refusal': (said, response) =>
    response.writeHead(401, { 'www-authenticate': `Basic realm="${said}"`, 'content-type': 'text/plain' }).end(said),
  'in a denial': (said, response) => response.writeHead(403, { 'content-type': 'text/plain' }).end(said),
  'in a failure': (said, response) => response.writeHead(500, said, {}).end(said),
  'in a redirect': (said, response) =>
    response
      .writeHead(302, { location: `http://x:${encodeURIComponent(said)}@127.0.0.1:9/${encodeURIComponent(said)}` })
      .end(),
  'in words of its own': (said, response) => {
    const line = `ERR ${said}\n`;
    const packet = `${(line.length + 4).toString(16).padStart(4, '0')}${line}`;
    const type = 'application/x-git-upload-pack-advertisement';
    response.writeHead(200, { 'content-type': type }).end(`001e# service=git-upload-pack\n0000${packet}`);
  },
};

describe('credentials of a repository that says them back', () => {
  let folder = '';
  let answer: Echo | undefined;
  let asked: string[] = [];
  const server = createServer((request, response) => {
    const header = request.headers.authorization ?? '';
    asked.push(header);
    const plain = Buffer.from(header.split(' ')[1] ?? '', 'base64')
      .toString('latin1')
      .replaceAll(/[^ -~]/g, '');
    answer?.(`${header} ${plain} ${encodeURIComponent(PASSWORD)}`, response);
  });
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'sublet-credentials-'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  it.each(Object.keys(ECHOES).flatMap((how) => [[how, 'Basic', BASIC] as const, [how, 'Bearer', BEARER] as const]))(
    '%s are in no line of the log and no row of the journal: %s',
    async (how, _type, credentials) => {
      answer = ECHOES[how];
      asked = [];
      const { log, lines } = createTestLog();
      const journal = createMemoryJournal({ clock: realClock });
      const change = buildChange('fleet');
      await journal.accept(change);
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/fleet.git`;
      const repository = openGitRepository(
        { url, branch: 'main', protocols: ['http'] },
        { folder: path.join(folder, 'copies'), path: process.env.PATH ?? '', credentials: async () => credentials },
      );
      const writer = startWriter(
        {
          clock: realClock,
          random: realRandom,
          log,
          journal,
          open: async () => ({
            repository,
            branch: 'main',
            committer: { name: 'Sublet', email: 'sublet@example.com' },
            pushWindowMs: 0,
            folderOf: (namespace) => ({ folder: `tenants/production/${namespace}` }),
          }),
        },
        { holder: 'one' },
      );
      await vi.waitFor(async () => expect((await journal.find(change.id))?.message).toBeDefined(), {
        timeout: 150_000,
        interval: 20,
      });
      await writer.stop();
      const secret = credentials.type === 'Basic' ? credentials.password : credentials.token;
      const encoded = Buffer.from(credentials.type === 'Basic' ? `sublet:${secret}` : secret).toString('base64');
      expect(asked.some((header) => header.includes(credentials.type === 'Basic' ? encoded : secret))).toBe(true);
      const found = await journal.find(change.id);
      const told = JSON.stringify([lines, found], (_, value) => (typeof value === 'bigint' ? `${value}` : value));
      expect(told).toContain('the repository cannot be fetched');
      for (const form of [secret, encoded, encodeURIComponent(secret), encodeURIComponent(encoded), 'gho_']) {
        expect(told).not.toContain(form);
      }
    },
  );
});
