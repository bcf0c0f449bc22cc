import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Client } from '../../kube/client.ts';
import { createMetrics } from '../../kube/metrics.ts';
import { createFakeClock } from '../../kube/testing/fakeclock.ts';
import { createSelfSignedCertificate } from '../../simulator/rdp/certificate.ts';
import { ApiConfig } from '../config.ts';
import type { Owner, Tree } from '../tree.ts';
import type { LookUp } from '../webhooks/destination.ts';
import { createAccess, readSetting } from './access.ts';
import type { GitRepository } from './fluxcaches.ts';
import { choosePushWindow, openForge } from './forge.ts';
import type { Remote } from './remotes.ts';
import { createRepositories } from './repositories.ts';

const HOUR_MS = 3_600_000;
const clock = createFakeClock();
let folder = '';
let server: Server;
let url = '';
let certificate = '';
let asked: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sublet-repositories-'));
  const tls = createSelfSignedCertificate('forge', Date.now() - HOUR_MS, ['127.0.0.1']);
  certificate = tls.cert;
  await writeFile(path.join(folder, 'ca.pem'), tls.cert);
  await writeFile(path.join(folder, 'token'), 'first\n');
  await writeFile(path.join(folder, 'empty'), '\n');
  server = createServer(tls, (request, response) => {
    asked.push(`${request.url} ${request.headers.authorization}`);
    response.writeHead(404, { 'content-type': 'application/json' }).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true, force: true });
});

const settings = (git: object) => ApiConfig.parse({ publicUrl: 'https://api.example.com', git }).git;
const file = (name: string) => path.join(folder, name);
const fleet = (address: string, secret?: string): Remote => ({
  url: address,
  branch: 'main',
  namespace: 'sublet-fleet',
  name: 'fleet',
  secret,
  isOwn: false,
});
const own = (address: string): Remote => ({ ...fleet(address), namespace: 't-acme', isOwn: true });

describe('the forge', () => {
  it('is asked with the token that its file holds at that time, by certificates that are stated', async () => {
    const forge = { type: 'Gitea', tokenFile: file('token') };
    const opened = await openForge(
      clock,
      settings({ forge, authorityFile: file('ca.pem') }),
      fleet(`${url}/acme/fleet.git`),
    );
    asked = [];
    expect(await opened?.read(7)).toBeUndefined();
    await writeFile(file('token'), 'second');
    expect(await opened?.read(8)).toBeUndefined();
    expect(asked).toEqual([
      '/api/v1/repos/acme/fleet/pulls/7 token first',
      '/api/v1/repos/acme/fleet/pulls/8 token second',
    ]);
  });

  it('is not trusted without them', async () => {
    const opened = await openForge(
      clock,
      settings({ forge: { type: 'GitHub', tokenFile: file('token') } }),
      fleet(`${url}/acme/fleet`),
    );
    await expect(opened?.read(7)).rejects.toMatchObject({ name: 'ForgeError', failure: 'Unreachable' });
  });

  it('is none of a tenant’s own repository, whose address the token must not reach', async () => {
    const git = settings({ forge: { type: 'Gitea', tokenFile: file('token') } });
    expect(await openForge(clock, git, own(`${url}/acme/fleet`))).toBeUndefined();
    expect(await openForge(clock, settings({}), fleet(`${url}/acme/fleet`))).toBeUndefined();
  });

  it('says by its kind, or by its host, how often it takes a push', () => {
    const gitHub = settings({ forge: { type: 'GitHub', tokenFile: file('token') } });
    const [here, there] = ['https://git.example.com/a/b', 'https://github.com/a/b'];
    expect(choosePushWindow(gitHub, fleet(here))).toBe(10_000);
    expect(choosePushWindow(gitHub, own(here))).toBe(0);
    expect(choosePushWindow(settings({}), own(there))).toBe(10_000);
    expect(choosePushWindow(settings({}), fleet('https://gitlab.com/a/b'))).toBe(2_000);
    expect(choosePushWindow(settings({}), fleet(here))).toBe(0);
    expect(choosePushWindow(settings({ pushWindowMs: 500 }), own(there))).toBe(500);
  });
});

describe('access to a repository', () => {
  const access = (remote: Remote, data: Readonly<Record<string, string>>, authorityFile?: string) => {
    let reads = 0;
    const encoded = Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString('base64')]);
    const client = {
      get: async () => {
        reads += 1;
        return { data: Object.fromEntries(encoded) };
      },
    } as unknown as Client;
    const made = createAccess(client, remote, authorityFile);
    return { ask: () => Promise.all([made.credentials(), made.authority()]), reads: () => reads };
  };

  it('comes from its Secret, certificates included, in one reading', async () => {
    const secret = { username: 'flux', password: 'word', 'ca.crt': 'PEM of the Secret' };
    const { ask, reads } = access(fleet('https://git.example.com/a/b', 'git'), secret, file('ca.pem'));
    const answer = [{ type: 'Basic', username: 'flux', password: 'word' }, 'PEM of the Secret'];
    expect(await ask()).toEqual(answer);
    expect(reads()).toBe(1);
    expect(await ask()).toEqual(answer);
    expect(reads()).toBe(2);
  });

  it('is that of the machine’s certificates, or of a file for the fleet alone', async () => {
    const address = 'https://git.example.com/a/b';
    expect(await access(fleet(address), {}).ask()).toEqual([undefined, undefined]);
    expect(await access(fleet(address), {}, file('ca.pem')).ask()).toEqual([undefined, certificate]);
    expect(await access(own(address), {}, file('ca.pem')).ask()).toEqual([undefined, undefined]);
  });

  it('is refused by a Secret that holds neither', async () => {
    const { ask } = access(fleet('https://git.example.com/a/b', 'git'), { identity: 'a key' });
    await expect(ask()).rejects.toThrow('Secret sublet-fleet/git has neither bearerToken nor username and password');
  });

  it.each([
    ['none', 'cannot be read (ENOENT)'],
    ['empty', 'is empty'],
  ])('names the setting of a file that is of no use: %s', async (name, why) => {
    await expect(readSetting('git.authorityFile', file(name))).rejects.toThrow(
      `the file that git.authorityFile names ${why}`,
    );
  });
});

describe('the repositories', () => {
  const repository = {
    spec: { url: 'https://git.example.com/acme/fleet.git', ref: { branch: 'main' } },
  } as unknown as GitRepository;
  const owner = {
    namespace: 't-acme',
    path: 'acme',
    tenant: {
      spec: {
        source: {
          type: 'Repository',
          repository: { url: 'https://github.com/acme/desks', branch: 'trunk', path: 'desks' },
        },
      },
    },
  } as unknown as Owner;
  type Facts = { repository: GitRepository | undefined; owner: Owner };
  const open = (id: string, git: object, lookUp?: LookUp, facts: Facts = { repository, owner }) => {
    const made: string[] = [];
    const deps = {
      client: {} as Client,
      clock,
      metrics: createMetrics(),
      flux: { repository: () => facts.repository },
      tree: { owner: (namespace: string) => (namespace === 't-acme' ? facts.owner : undefined) } as unknown as Tree,
      copies: {
        make: async (name: string) => {
          made.push(name);
          return mkdtemp(path.join(folder, `${name}-`));
        },
      },
      dryRun: async () => ({ type: 'accepted' }) as const,
      lookUp,
    };
    const search = process.env.PATH ?? '';
    const options = { environment: 'production', fleetNamespace: 'sublet-fleet', path: search, ...settings(git) };
    const repositories = createRepositories(deps, options);
    return { opened: repositories.open(id), made, locate: repositories.locate };
  };

  it('are opened as the settings say: the fleet', async () => {
    const forge = { type: 'GitLab', apiUrl: 'https://gitlab.example.com', tokenFile: file('token') };
    const { opened, made } = open('fleet', { forge, depth: 50 });
    expect(await opened).toMatchObject({ branch: 'main', pushWindowMs: 2_000, forge: { type: 'GitLab' } });
    expect((await opened)?.dryRun).toBeDefined();
    expect(made).toEqual(['fleet']);
    await (await opened)?.repository.close();
  });

  it('are opened as the settings say: a tenant’s own, which is dry-run, too', async () => {
    const { opened } = open('tenant/t-acme', { forge: { type: 'Gitea', tokenFile: file('token') } });
    expect(await opened).toMatchObject({ branch: 'trunk', pushWindowMs: 10_000, forge: undefined });
    expect((await opened)?.dryRun).toBeDefined();
    expect((await opened)?.folderOf('t-acme')).toMatchObject({ folder: 'desks' });
    await (await opened)?.repository.close();
  });

  it.each<readonly [readonly string[], string, string]>([
    [['10.9.8.7'], 'Refused', 'leads to an address that is not on the internet'],
    [['203.0.113.7', '169.254.169.254'], 'Refused', 'leads to an address that is not on the internet'],
    [['::ffff:10.9.8.7'], 'Refused', 'leads to an address that is not on the internet'],
    [[], 'Unreachable', 'does not resolve'],
  ])('of tenants are not fetched from %j, nor is said what is inside', async (addresses, failure, why) => {
    const asked: string[] = [];
    const { opened } = open('tenant/t-acme', {}, async (host) => {
      asked.push(host);
      return addresses;
    });
    const { repository } = (await opened) ?? {};
    // At each call anew: what the name said before is no answer.
    for (let n = 1; n <= 2; n++) {
      await expect(repository?.fetch()).rejects.toMatchObject({
        failure,
        message: `the repository's host github.com ${why}`,
      });
      expect(asked).toHaveLength(n);
    }
    await repository?.close();
  });

  it('begin new files with the schema of their kind: in the fleet by its own folder, elsewhere by an address alone', async () => {
    const addressOf = async (id: string, git: object): Promise<string | undefined> => {
      const target = await open(id, git).opened;
      await target?.repository.close();
      return target?.render?.schemaAddress?.('RDPInstance', 'tenants/production/t-acme/rdpinstance-desk.yaml');
    };
    const relative = '../../../crds/schemas/rdpinstance.schema.json';
    expect(await addressOf('fleet', {})).toBe(relative);
    const root = path.join(import.meta.dirname, '../..');
    expect(existsSync(path.join(root, 'tenants/production/t-acme', relative))).toBe(true);
    expect(await addressOf('tenant/t-acme', {})).toBeUndefined();
    const editorSchemas = 'https://schemas.example.com/sublet';
    for (const id of ['fleet', 'tenant/t-acme'])
      expect(await addressOf(id, { editorSchemas })).toBe(`${editorSchemas}/rdpinstance.schema.json`);
    for (const id of ['fleet', 'tenant/t-acme']) expect(await addressOf(id, { editorSchemas: null })).toBeUndefined();
  });

  it.each([
    '',
    '../schemas',
    '/schemas',
    'crds/schemas/',
    'http://a.example.com',
    'https://',
    'https://a.example.com/',
    'a b',
  ])('take no place for schemas that is none: %j', (editorSchemas) => {
    expect(() => settings({ editorSchemas })).toThrow('is a folder of the fleet repository, or an https:// address');
  });

  it('say when they are somewhere else than when they were opened', async () => {
    const change = (spec: object) => ({ spec: { ...repository.spec, ...spec } }) as unknown as GitRepository;
    const facts: Facts = { repository, owner };
    const { opened, locate } = open('fleet', {}, undefined, facts);
    const isCurrent = (await opened)?.isCurrent;
    const before = locate('fleet');
    for (const spec of [
      { url: 'https://git.example.com/acme/moved.git' },
      { ref: { branch: 'next' } },
      { secretRef: { name: 'other' } },
    ]) {
      facts.repository = change(spec);
      expect([isCurrent?.(), locate('fleet') === before]).toEqual([false, false]);
      facts.repository = change({});
      expect([isCurrent?.(), locate('fleet') === before]).toEqual([true, true]);
    }
    facts.repository = undefined;
    expect(isCurrent).toThrow('there is no GitRepository sublet-fleet/fleet');
    await (await opened)?.repository.close();
  });

  it('say when a tenant’s own is somewhere else, or nowhere', async () => {
    const facts: Facts = { repository, owner };
    const { opened } = open('tenant/t-acme', {}, undefined, facts);
    const isCurrent = (await opened)?.isCurrent;
    expect(isCurrent?.()).toBe(true);
    const source = { type: 'Repository', repository: { url: 'https://github.com/acme/moved', branch: 'trunk' } };
    facts.owner = { ...owner, tenant: { spec: { source } } } as unknown as Owner;
    expect(isCurrent?.()).toBe(false);
    facts.owner = { ...owner, tenant: { spec: { source: { type: 'Fleet' } } } } as unknown as Owner;
    expect(isCurrent?.()).toBe(false);
    await (await opened)?.repository.close();
  });

  it('are none for an id that nobody has any more', async () => {
    expect(await open('tenant/t-gone', {}).opened).toBeUndefined();
  });
});
