import { readFile } from 'node:fs/promises';
import type { Credentials } from '../../git/binary/environment.ts';
import { RepositoryError } from '../../git/repository.ts';
import { SECRETS } from '../../kube/builtin.ts';
import type { Client } from '../../kube/client.ts';
import type { KubeObject } from '../../kube/object.ts';
import type { Remote } from './remotes.ts';

/** With what git goes to a remote. */
export type Access = {
  credentials(): Promise<Credentials | undefined>;
  authority(): Promise<string | undefined>;
};

/**
 * Reads both as Flux does, from the repository's Secret, at each call, so that a rotated Secret counts at once; the fleet's certificates also from a file. Two that are
 * asked for at the same time come from one reading.
 */
export function createAccess(client: Pick<Client, 'get'>, remote: Remote, authorityFile: string | undefined): Access {
  let reading: Promise<Read> | undefined;
  const read = (): Promise<Read> => {
    reading ??= readSecret(client, remote).finally(() => {
      reading = undefined;
    });
    return reading;
  };
  return {
    credentials: async () => parseCredentials(remote, await read()),
    authority: async () => {
      const authority = (await read())?.('ca.crt');
      if (authority !== undefined || remote.isOwn || authorityFile === undefined) return authority;
      return readSetting('git.authorityFile', authorityFile);
    },
  };
}

/** One key of a Secret. Undefined altogether: the remote has no Secret. */
type Read = ((key: string) => string | undefined) | undefined;

type Secret = KubeObject & { readonly data?: Readonly<Record<string, string>> | undefined };

async function readSecret(client: Pick<Client, 'get'>, { namespace, secret }: Remote): Promise<Read> {
  if (secret === undefined) return undefined;
  const { data = {} } = await client.get<Secret>(SECRETS, { namespace, name: secret });
  return (key) => (data[key] === undefined ? undefined : Buffer.from(data[key], 'base64').toString('utf8'));
}

function parseCredentials({ namespace, secret }: Remote, text: Read): Credentials | undefined {
  if (text === undefined) return undefined;
  const token = text('bearerToken');
  if (token !== undefined) return { type: 'Bearer', token };
  const [username, password] = [text('username'), text('password')];
  if (username !== undefined && password !== undefined) return { type: 'Basic', username, password };
  throw new RepositoryError(
    'Refused',
    `Secret ${namespace}/${secret} has neither bearerToken nor username and password`,
  );
}

const MAX_CHARACTERS = 1024 * 1024;

/** What a file holds that a setting names. The error names the setting and not the file, so that it is fit for users. */
export async function readSetting(setting: string, file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new RepositoryError('Unreachable', `the file that ${setting} names cannot be read (${error.code})`);
  });
  if (text.trim() !== '' && text.length <= MAX_CHARACTERS) return text;
  const what = text.length > MAX_CHARACTERS ? `has more than ${MAX_CHARACTERS} characters` : 'is empty';
  throw new RepositoryError('Unreachable', `the file that ${setting} names ${what}`);
}
