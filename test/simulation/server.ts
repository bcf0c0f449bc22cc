import { pino } from 'pino';
import { type Client, createClientOn } from '../../kube/client.ts';
import { installAdmission } from '../../simulator/apiserver/admission/install.ts';
import type { ApiRequest } from '../../simulator/apiserver/request.ts';
import { type ApiServer, createApiServer } from '../../simulator/apiserver/server.ts';
import { createInProcessTransport } from '../../simulator/apiserver/transport.ts';
import { createVirtualProcess, type VirtualProcess } from '../../simulator/process.ts';
import type { SeededRandom } from '../../simulator/random.ts';
import type { Scheduler } from '../../simulator/scheduler.ts';
import type { WorldOptions } from './contract.ts';
import { createRecorder, type Recorder } from './recorder.ts';

/** The API server of a world, and a person with kubectl on it. */
export type WorldServer = {
  readonly host: VirtualProcess;
  readonly api: ApiServer;
  readonly recorder: Recorder;
  readonly admin: Client;
};

/** Nothing is installed on it yet. Whatever is changed on it is recorded under the name of who did it. */
export function createServer(
  deps: { readonly scheduler: Scheduler; readonly random: SeededRandom },
  { intervals = 'production', recordHistory = false }: WorldOptions,
): WorldServer {
  const host = createVirtualProcess(deps, 'apiserver');
  const { clock, random } = host;
  const api = createApiServer({ clock, random: random.fork('server'), log: SILENT }, API_OPTIONS[intervals]);
  const { store, admission } = api.core;
  installAdmission(api);
  const recorder = createRecorder({ store, nowMs: deps.scheduler.nowMs, hashes: recordHistory });
  // What admission writes (counts of quotas), the server writes, whoever asked.
  const hooks = admission.splice(0);
  admission.push(
    ...hooks.map((hook) => (request: Parameters<typeof hook>[0]) => recorder.as('apiserver', () => hook(request))),
  );
  const server = { handle: (request: ApiRequest) => recorder.handle('person', request, api.handle) };
  const user = { username: 'kubernetes-admin', groups: ['system:masters'] };
  const transport = createInProcessTransport(
    { server, clock, random: random.fork('admin') },
    { user, userAgent: 'kubectl' },
  );
  return { host, api, recorder, admin: createClientOn(transport) };
}

const SILENT = pino({ level: 'silent' });

/** A year of bookmarks once a minute would be most of what happens in it. */
const API_OPTIONS = { production: {}, year: { bookmarkIntervalMs: 24 * 3_600_000 } } as const;
