import { mkdir } from 'node:fs/promises';
import { Kysely, sql } from 'kysely';
import type { Logger } from 'pino';
import type { Clock, Random } from '../kube/clock.ts';
import { renderError } from '../kube/errors.ts';
import { createListenerHub, type Listener, type OpenSession } from './listener.ts';
import { lockFolder } from './lock.ts';
import { migrate } from './migrate.ts';
import { createPGliteDialect, openPGlite } from './pglite.ts';
import { openPostgres } from './postgres.ts';
import type { Tables } from './tables.ts';

export type StoreDeps = { readonly clock: Clock; readonly random: Random; readonly log: Logger };

/** Where the rows are: a PostgreSQL by its URL, or PGlite in this process, in a folder or in memory. */
export type StoreAddress =
  | {
      readonly type: 'Postgres';
      readonly url: string;
      /** Default 10. */
      readonly maxConnections?: number | undefined;
      /** Default 5 s. */
      readonly connectTimeoutMs?: number | undefined;
      /** Default 15 s. */
      readonly statementTimeoutMs?: number | undefined;
    }
  | { readonly type: 'Embedded'; readonly folder?: string | undefined };

export type Store = {
  readonly db: Kysely<Tables>;
  /** Hears what is notified on a channel, by whichever process. Without a payload: something may have been missed. */
  listen(channel: string, listener: Listener): () => void;
  /** Whether the database answers; never rejects. */
  health(): Promise<StoreHealth>;
  close(): Promise<void>;
};

export type StoreHealth = { readonly ok: true } | { readonly ok: false; readonly message: string };

/** Opens the database and brings its schema up to date. Throws `StoreTooNew`, `FolderInUse`, or what the database says. */
export async function openStore(deps: StoreDeps, address: StoreAddress): Promise<Store> {
  const { dialect, openSession, afterClose } = await openAddress(deps, address);
  const db = new Kysely<Tables>({ dialect });
  const hub = createListenerHub(deps, openSession);
  const close = async (): Promise<void> => {
    await hub.close();
    await db.destroy();
    await afterClose();
  };
  try {
    const steps = await migrate(db);
    if (steps.length > 0) deps.log.info({ steps }, 'brought the database up to date');
  } catch (error) {
    await close();
    throw error;
  }
  return {
    db,
    close,
    listen: (channel, listener) => hub.listen(channel, listener),
    health: async () => {
      try {
        await sql`SELECT 1`.execute(db);
        return { ok: true };
      } catch (error) {
        return { ok: false, message: renderError(error) };
      }
    },
  };
}

type Opened = {
  readonly dialect: ReturnType<typeof createPGliteDialect>;
  readonly openSession: OpenSession;
  readonly afterClose: () => Promise<void>;
};

async function openAddress(deps: StoreDeps, address: StoreAddress): Promise<Opened> {
  if (address.type === 'Postgres') {
    const { maxConnections = 10, connectTimeoutMs = 5_000, statementTimeoutMs = 15_000 } = address;
    const options = { url: checkUrl(address.url), maxConnections, connectTimeoutMs, statementTimeoutMs };
    return { ...openPostgres(options, deps.log), afterClose: async () => {} };
  }
  const { folder } = address;
  if (folder !== undefined) await mkdir(folder, { recursive: true });
  const unlock = folder === undefined ? async () => {} : await lockFolder(folder);
  try {
    const pglite = await openPGlite(folder);
    const openSession: OpenSession = async (onNotification) => ({
      listen: async (channel) => void (await pglite.listen(channel, (payload) => onNotification(channel, payload))),
      ping: async () => {},
      close: async () => {},
    });
    return { dialect: createPGliteDialect(pglite), openSession, afterClose: unlock };
  } catch (error) {
    await unlock();
    throw error;
  }
}

/** The URL, without ever repeating the password that may be in it. */
function checkUrl(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol === 'postgres:' || parsed?.protocol === 'postgresql:') return url;
  throw new Error(
    `the database URL has to begin with postgresql:// and to name a host and a database, such as postgresql://sublet@db.example.com/sublet`,
  );
}
