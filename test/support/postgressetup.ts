import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestProject } from 'vitest/node';
import { type PostgresServer, PostgresUnavailable, startPostgres } from './postgresserver.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Where a run's test files ask for their PostgreSQL. */
    readonly postgresPort: number;
  }
}

/** What is answered: a server, or why there is none. */
export type PostgresProvision =
  | { readonly available: true; readonly url: string }
  | { readonly available: false; readonly reason: string };

/** One PostgreSQL for all files of a run, started when the first of them asks; runs that need none do not wait for any. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  let starting: Promise<PostgresServer> | undefined;
  const provide = async (): Promise<PostgresProvision> => {
    try {
      starting ??= startPostgres();
      return { available: true, url: (await starting).url };
    } catch (error) {
      if (!(error instanceof PostgresUnavailable)) throw error;
      return { available: false, reason: error.message };
    }
  };
  const server = createServer((_, response) => {
    provide().then(
      (provision) => response.end(JSON.stringify(provision)),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  project.provide('postgresPort', (server.address() as AddressInfo).port);
  return async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    const started = await starting?.catch(() => undefined);
    await started?.stop();
  };
}
