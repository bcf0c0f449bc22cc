import type { Credentials } from '../../git/binary/environment.ts';
import type { GitDeps } from '../../git/binary/git.ts';
import { RepositoryError } from '../../git/repository.ts';
import { SECRETS } from '../../kube/builtin.ts';
import type { Client } from '../../kube/client.ts';
import type { KubeObject } from '../../kube/object.ts';

type Secret = KubeObject & { readonly data?: Readonly<Record<string, string>> | undefined };

type Access = { readonly credentials: Credentials | undefined; readonly authority: string | undefined };

/** Reads the GitRepository's Secret before each call to the remote, once, so that a rotated one counts at once. */
export function createAccess(
  client: Client,
  key: { readonly namespace: string; readonly name: string },
): Pick<GitDeps, 'credentials' | 'authority'> {
  let reading: Promise<Access> | undefined;
  const read = (): Promise<Access> => {
    reading ??= readAccess(client, key).finally(() => {
      reading = undefined;
    });
    return reading;
  };
  return { credentials: async () => (await read()).credentials, authority: async () => (await read()).authority };
}

async function readAccess(
  client: Client,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): Promise<Access> {
  const { data = {} } = await client.get<Secret>(SECRETS, { namespace, name });
  const unknown = Object.keys(data).find((key) => !KEYS.has(key));
  if (unknown !== undefined)
    throw new RepositoryError('Refused', `Secret ${namespace}/${name} has the key ${unknown}, which Flux alone reads`);
  const text = (key: string): string | undefined =>
    data[key] === undefined || data[key] === '' ? undefined : Buffer.from(data[key], 'base64').toString('utf8');
  const authority = text('ca.crt') ?? text('caFile');
  const token = text('bearerToken');
  if (token !== undefined) return { credentials: { type: 'Bearer', token }, authority };
  const [username, password] = [text('username'), text('password')];
  if (username === undefined && password === undefined) return { credentials: undefined, authority };
  return { credentials: { type: 'Basic', username: username ?? '', password: password ?? '' }, authority };
}

const KEYS: ReadonlySet<string> = new Set(['username', 'password', 'bearerToken', 'ca.crt', 'caFile']);
