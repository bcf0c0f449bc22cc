import { PGlite } from '@electric-sql/pglite';
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
} from 'kysely';

const INT8 = 20;

/** PostgreSQL in this process. Without a folder it lives in memory. */
export function openPGlite(folder: string | undefined): Promise<PGlite> {
  return PGlite.create({
    ...(folder === undefined ? {} : { dataDir: folder }),
    parsers: { [INT8]: (text: string) => BigInt(text) },
  });
}

/**
 * PGlite has one session, so whoever uses it has it alone: for one statement, or for one transaction. (kysely's own dialect lets statements of others
 * into a transaction that is open.)
 */
export function createPGliteDialect(pglite: PGlite): Dialect {
  return {
    createDriver: () => createDriver(pglite),
    createAdapter: () => new PostgresAdapter(),
    createQueryCompiler: () => new PostgresQueryCompiler(),
    createIntrospector: (db) => new PostgresIntrospector(db),
  };
}

function createDriver(pglite: PGlite): Driver {
  const connection = createConnection(pglite);
  const run = (text: string) => connection.executeQuery(CompiledQuery.raw(text));
  let queue: Promise<void> = Promise.resolve();
  let release = () => {};
  return {
    init: async () => {},
    acquireConnection: () => {
      const turn = Promise.withResolvers<void>();
      const acquired = queue.then(() => {
        release = turn.resolve;
        return connection;
      });
      queue = turn.promise;
      return acquired;
    },
    releaseConnection: async () => release(),
    beginTransaction: async () => void (await run('BEGIN')),
    commitTransaction: async () => void (await run('COMMIT')),
    rollbackTransaction: async () => void (await run('ROLLBACK')),
    destroy: async () => {
      if (!pglite.closed) await pglite.close();
    },
  };
}

function createConnection(pglite: PGlite): DatabaseConnection {
  return {
    executeQuery: async <R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> => {
      const { rows, affectedRows } = await pglite.query<R>(sql, [...parameters]);
      return affectedRows === undefined ? { rows } : { rows, numAffectedRows: BigInt(affectedRows) };
    },
    // biome-ignore lint/correctness/useYield: kysely's interface wants a generator, and PGlite has no cursors
    streamQuery: async function* () {
      throw new Error('PGlite has no cursors');
    },
  };
}
