import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createCredentialSource, serverUrl } from './credentials.ts';
import { createFakeClock } from './testing/fakeclock.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'credentials-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const cluster = { name: 'c', server: 'https://127.0.0.1:1/prefix', skipTLSVerify: false };
type User = Parameters<KubeConfig['addUser']>[0];

function source(user: Omit<User, 'name'>, extra: object = {}) {
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromClusterAndUser({ ...cluster, ...extra }, { name: 'u', ...user });
  const clock = createFakeClock();
  return { clock, kubeConfig, credentials: createCredentialSource({ kubeConfig, clock }) };
}

test('a static token and a password', async () => {
  expect((await source({ token: 'abc' }).credentials.current()).headers).toEqual({ authorization: 'Bearer abc' });
  const basic = await source({ username: 'anna', password: 'secret' }).credentials.current();
  expect(basic.headers).toEqual({ authorization: `Basic ${Buffer.from('anna:secret').toString('base64')}` });
});

test('a rotated token file is read again after a 401', async () => {
  const tokenFile = join(folder, 'token');
  writeFileSync(tokenFile, 'one\n');
  const { credentials } = source({ authProvider: { name: 'tokenFile', config: { tokenFile } } });
  expect((await credentials.current()).headers).toEqual({ authorization: 'Bearer one' });
  writeFileSync(tokenFile, 'two\n');
  expect((await credentials.current()).headers).toEqual({ authorization: 'Bearer one' });
  credentials.invalidate();
  expect((await credentials.current()).headers).toEqual({ authorization: 'Bearer two' });
});

test('an exec plugin is asked once for many callers, and again only when its answer is refused', async () => {
  const counter = join(folder, 'count');
  writeFileSync(counter, '');
  const script = `const fs = require('node:fs'); fs.appendFileSync(${JSON.stringify(counter)}, 'x');
    const token = 'token-' + fs.readFileSync(${JSON.stringify(counter)}, 'utf8').length;
    console.log(JSON.stringify({ apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status: { token } }));`;
  const { credentials, clock } = source({ exec: { command: process.execPath, args: ['-e', script] } });
  const all = await Promise.all([credentials.current(), credentials.current(), credentials.current()]);
  expect(new Set(all.map((one) => one.headers.authorization))).toEqual(new Set(['Bearer token-1']));
  await clock.advance(60_000);
  expect((await credentials.current()).headers.authorization).toBe('Bearer token-1');
  credentials.invalidate();
  expect((await credentials.current()).headers.authorization).toBe('Bearer token-2');
  expect(readFileSync(counter, 'utf8')).toBe('xx');
});

test('a plugin that fails is asked again by the next caller', async () => {
  const flag = join(folder, 'works');
  const script = `if (!require('node:fs').existsSync(${JSON.stringify(flag)})) { console.error('not yet'); process.exit(1); }
    console.log(JSON.stringify({ status: { token: 'late' } }));`;
  const { credentials } = source({ exec: { command: process.execPath, args: ['-e', script] } });
  await expect((async () => credentials.current())()).rejects.toThrow('not yet');
  writeFileSync(flag, '');
  expect((await credentials.current()).headers.authorization).toBe('Bearer late');
});

test('another certificate or CA gives another fingerprint, another token does not', async () => {
  const certFile = join(folder, 'cert');
  const keyFile = join(folder, 'key');
  writeFileSync(certFile, 'cert one');
  writeFileSync(keyFile, 'key one');
  const { credentials, clock } = source({ certFile, keyFile }, { caData: Buffer.from('ca').toString('base64') });
  const first = await credentials.current();
  expect(String(first.tls.cert)).toBe('cert one');
  expect(String(first.tls.ca)).toBe('ca');
  await clock.advance(60_000);
  expect((await credentials.current()).tlsFingerprint).toBe(first.tlsFingerprint);
  writeFileSync(certFile, 'cert two');
  await clock.advance(60_000);
  expect((await credentials.current()).tlsFingerprint).not.toBe(first.tlsFingerprint);
});

test('server name, impersonation and an unverified server are passed on', async () => {
  const { credentials } = source({ token: 't', impersonateUser: 'bob' }, { tlsServerName: 'api', skipTLSVerify: true });
  const { headers, tls } = await credentials.current();
  expect(headers).toEqual({ authorization: 'Bearer t', 'impersonate-user': 'bob' });
  expect(tls).toMatchObject({ servername: 'api', rejectUnauthorized: false });
});

test('the server’s path prefix is kept; what cannot be served is refused by name', () => {
  expect(serverUrl(source({ token: 't' }).kubeConfig).pathname).toBe('/prefix');
  expect(() => serverUrl(source({ token: 't' }, { proxyUrl: 'http://proxy' }).kubeConfig)).toThrow(
    'proxy-url is not supported',
  );
  expect(() => serverUrl(new KubeConfig())).toThrow('names no cluster');
});
