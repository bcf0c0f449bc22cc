import { chmod, mkdir, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import type { CliDeps } from '../deps.ts';
import { CliExit, EXIT } from '../exit.ts';

const Name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'must be letters, digits, ".", "_" and "-", at most 63');

/** A server and who one is there. */
export const Context = z.strictObject({
  server: z.string().max(2_048),
  token: z.string().max(16_384).optional(),
  /** The tenant that commands are about when none is named. */
  tenant: z.string().max(1_024).optional(),
  insecure: z.boolean().optional(),
});
export type Context = z.infer<typeof Context>;

const Contexts = z.strictObject({ current: Name.optional(), contexts: z.record(Name, Context).default({}) });
export type Contexts = z.infer<typeof Contexts>;

const MOST_BYTES = 1024 * 1024;

/** `SUBLET_CONFIG`, or `sublet/config.json` where a user's settings are. */
export function contextsFile({ env, home }: Pick<CliDeps, 'env' | 'home'>): string {
  const named = env.SUBLET_CONFIG ?? '';
  if (named !== '') return named;
  const base = env.XDG_CONFIG_HOME ?? '';
  return path.join(base === '' ? path.join(home, '.config') : base, 'sublet', 'config.json');
}

/** None when there is no file. A file with tokens that others may read is refused, and so is one that is not as it was written. */
export async function readContexts(deps: Pick<CliDeps, 'env' | 'home'>): Promise<Contexts> {
  const file = contextsFile(deps);
  const text = await readPrivate(file);
  if (text === undefined) return { contexts: {} };
  const parsed = Contexts.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new CliExit(
    EXIT.usage,
    `${file}: ${issue?.path.join('.') || 'the file'}: ${issue?.message}; mend it, or remove it and set the contexts again`,
  );
}

/** Whole and at once, readable by its owner alone. */
export async function writeContexts(deps: Pick<CliDeps, 'env' | 'home'>, contexts: Contexts): Promise<void> {
  const file = contextsFile(deps);
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  const beside = `${file}.${process.pid}`;
  const handle = await open(beside, 'wx', 0o600);
  try {
    await handle.writeFile(`${JSON.stringify(contexts, null, 2)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  try {
    await chmod(beside, 0o600);
    await rename(beside, file);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}

/** A secret's file: undefined when it is not there. On systems that have modes, nobody but its owner may have any right on it. */
export async function readPrivate(file: string): Promise<string | undefined> {
  const handle = await open(file, 'r').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new CliExit(EXIT.usage, `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  });
  if (handle === undefined) return undefined;
  try {
    const { mode, size } = await handle.stat();
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      throw new CliExit(
        EXIT.usage,
        `${file} holds a token and others may read it (mode ${(mode & 0o777).toString(8)}): chmod 600 ${file}`,
      );
    }
    if (size > MOST_BYTES) throw new CliExit(EXIT.usage, `${file} has ${size} bytes, at most ${MOST_BYTES} are read`);
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}

export function parseContextName(text: string): string {
  const parsed = Name.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new CliExit(
    EXIT.usage,
    `a context's name ${parsed.error.issues[0]?.message}, is ${JSON.stringify(text.slice(0, 80))}`,
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
