import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createSelfSignedCertificate } from '../../simulator/rdp/certificate.ts';

/** By what clients know an embedded API server, and it them. */
export type Identity = {
  /** PEM. */
  readonly key: string;
  readonly cert: string;
  /** The administrator's bearer token. */
  readonly token: string;
  /** Signs the tokens of ServiceAccounts. */
  readonly tokenKey: Uint8Array;
};

const FILE = 'identity.json';

/** The identity that the folder holds; a new one the first time, so that a kubeconfig stays good over restarts. */
export async function loadIdentity(folder: string, host: string, nowMs: number): Promise<Identity> {
  const file = path.join(folder, FILE);
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text !== undefined) return parseIdentity(text, file);
  const { key, cert } = createSelfSignedCertificate('sublet dev', nowMs, [host, 'localhost']);
  const made = {
    key,
    cert,
    token: randomBytes(24).toString('base64url'),
    tokenKey: randomBytes(32).toString('base64'),
  };
  await writeFile(file, `${JSON.stringify(made)}\n`, { mode: 0o600 });
  return parseIdentity(JSON.stringify(made), file);
}

function parseIdentity(text: string, file: string): Identity {
  const { key, cert, token, tokenKey } = parseObject(text);
  if (
    typeof key !== 'string' ||
    typeof cert !== 'string' ||
    typeof token !== 'string' ||
    typeof tokenKey !== 'string'
  ) {
    throw new Error(`${file} is damaged: remove it, and take the new kubeconfig afterwards`);
  }
  return { key, cert, token, tokenKey: Buffer.from(tokenKey, 'base64') };
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
