import { SECRETS } from '../../kube/builtin.ts';
import type { Client } from '../../kube/client.ts';
import { isNotFound, renderError } from '../../kube/errors.ts';
import type { KubeObject } from '../../kube/object.ts';
import type { GitAccess } from './git/reader.ts';
import type { GitRepository } from './resources.ts';

/** The Secret is not there, or cannot be used with the URL. The message is source-controller's. */
export class AccessError extends Error {
  override readonly name = 'AccessError';
}

/** What the GitRepository's Secret says; undefined without one. Throws {@link AccessError}. */
export async function readAccess(
  client: Client,
  { metadata, spec }: GitRepository,
  signal: AbortSignal,
): Promise<GitAccess | undefined> {
  if (spec.secretRef === undefined) return undefined;
  const key = { namespace: metadata.namespace ?? '', name: spec.secretRef.name };
  try {
    const { data = {} } = await client.get<Secret>(SECRETS, key, { signal });
    return parseAccess(spec.url, data);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof AccessError) throw error;
    const why = isNotFound(error) ? `secrets "${key.name}" not found` : renderError(error);
    const said = `failed to get secret '${key.namespace}/${key.name}'`;
    // It says so twice.
    throw new AccessError(`${said}: ${said}: ${why}`);
  }
}

type Secret = KubeObject & { readonly data?: Readonly<Record<string, string>> };

/** A token goes before a password. */
function parseAccess(url: string, data: Readonly<Record<string, string>>): GitAccess {
  const read = (key: string): string | undefined => {
    const text = Buffer.from(data[key] ?? '', 'base64').toString('utf8');
    return text === '' ? undefined : text;
  };
  const scheme = url.slice(0, url.indexOf(':'));
  if (scheme === 'ssh') {
    for (const key of ['identity', 'known_hosts']) {
      if (read(key) === undefined) throw invalid(`invalid 'ssh' auth option: '${key}' is required`);
    }
    return {};
  }
  const ca = read('ca.crt') ?? read('caFile');
  const bearerToken = read('bearerToken');
  if (bearerToken !== undefined) return { bearerToken, ca };
  const [username, password] = [read('username'), read('password')];
  if (username === undefined && password !== undefined) {
    throw invalid(`invalid '${scheme}' auth option: 'password' requires 'username' to be set`);
  }
  return { username, password, ca };
}

function invalid(why: string): AccessError {
  return new AccessError(`failed to configure authentication options: ${why}`);
}
