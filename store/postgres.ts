import { type Dialect, PostgresDialect } from 'kysely';
import pg from 'pg';
import type { Logger } from 'pino';
import type { ListenSession, OpenSession } from './listener.ts';

export type PostgresOptions = {
  readonly url: string;
  readonly maxConnections: number;
  readonly connectTimeoutMs: number;
  readonly statementTimeoutMs: number;
};

export type Postgres = { readonly dialect: Dialect; readonly openSession: OpenSession };

const IDLE_TIMEOUT_MS = 30_000;
const PING_TIMEOUT_MS = 5_000;
/** A statement that the server never answers is given up this long after the server should have ended it. */
const ANSWER_GRACE_MS = 5_000;

/** A pool of connections and a way to open the one that listens. Nothing is connected before it is used. */
export function openPostgres(options: PostgresOptions, log: Logger): Postgres {
  const common = {
    connectionString: options.url,
    application_name: 'sublet',
    connectionTimeoutMillis: options.connectTimeoutMs,
    keepAlive: true,
    types: buildTypes(),
  } as const;
  const pool = new pg.Pool({
    ...common,
    max: options.maxConnections,
    idleTimeoutMillis: IDLE_TIMEOUT_MS,
    statement_timeout: options.statementTimeoutMs,
    query_timeout: options.statementTimeoutMs + ANSWER_GRACE_MS,
    idle_in_transaction_session_timeout: options.statementTimeoutMs * 2,
  });
  pool.on('error', (error) => log.warn({ err: error.message }, 'an idle database connection ended'));
  return { dialect: new PostgresDialect({ pool }), openSession: createOpenSession(common) };
}

/** `int8` as bigint, in this pool alone: the driver's default is text, because a number would lose digits. */
function buildTypes(): pg.TypeOverrides {
  const types = new pg.TypeOverrides();
  types.setTypeParser(pg.types.builtins.INT8, (text) => BigInt(text));
  return types;
}

function createOpenSession(common: pg.ClientConfig): OpenSession {
  return async (onNotification, onEnd): Promise<ListenSession> => {
    const client = new pg.Client({ ...common, query_timeout: PING_TIMEOUT_MS });
    client.on('notification', ({ channel, payload }) => onNotification(channel, payload ?? ''));
    client.on('error', onEnd);
    client.on('end', onEnd);
    await client.connect();
    return {
      listen: async (channel) => void (await client.query(`LISTEN ${pg.escapeIdentifier(channel)}`)),
      ping: async () => void (await client.query('SELECT 1')),
      close: () => client.end(),
    };
  };
}
