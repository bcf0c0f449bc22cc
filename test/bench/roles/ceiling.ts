// The raw ceiling: a client with no logic that sends the operator's writes from pre-serialised bodies.
// Arguments: the run's name, the number of Tenants, connections.
import { KubeConfig } from '@kubernetes/client-node';
import type { KubeObject } from '../../../kube/object.ts';
import { FIELD_MANAGER, FINALIZER, STATUS_FIELD_MANAGER } from '../../../model/labels.ts';
import type { Manifest } from '../../../operator/desired/manifest.ts';
import { createRest } from '../../cluster/rest.ts';
import { openConnections, type RawConnection, type RawRequest, renderRequest } from '../lib/rawclient.ts';
import { serveRole } from '../lib/rolechild.ts';
import {
  buildChildren,
  buildStatus,
  buildTenantResource,
  locate,
  tenantNames,
  withAppliedHash,
} from '../lib/workload.ts';

const [run = '', tenants = '0', connectionCount = '8'] = process.argv.slice(2);
const kubeConfig = new KubeConfig();
kubeConfig.loadFromDefault();
const server = new URL(kubeConfig.getCurrentCluster()?.server ?? '');
const ca = Buffer.from(kubeConfig.getCurrentCluster()?.caData ?? '', 'base64');
const token = kubeConfig.getCurrentUser()?.token ?? '';

const stages = buildStages(await readTenants());
const connections = await openConnections(
  { host: server.hostname, port: Number(server.port), ca },
  Number(connectionCount),
);

serveRole({
  go: async () => {
    for (const requests of stages) await sendAll(connections, requests);
  },
  stop: async () => {
    for (const connection of connections) connection.close();
  },
});

/** All requests of one stage, each connection taking the next one as soon as it is free. */
async function sendAll(open: readonly RawConnection[], requests: readonly RawRequest[]): Promise<void> {
  let next = 0;
  const work = async (connection: RawConnection): Promise<void> => {
    for (let request = requests[next++]; request !== undefined; request = requests[next++]) {
      const status = await connection.send(request);
      if (status < 200 || status > 299) {
        throw new Error(
          `a write was answered ${status}:\n${request.toString('utf8').replace(/Bearer \S+/, 'Bearer ...')}`,
        );
      }
    }
  };
  await Promise.all(open.map(work));
}

/** The run's Tenants with what the API server gave them. */
async function readTenants(): Promise<readonly KubeObject[]> {
  const rest = await createRest(kubeConfig);
  const names = new Set(tenantNames(run, Number(tenants)));
  const list = (await rest.ask('GET', locate(buildTenantResource('any')).collection)) as {
    readonly items: readonly KubeObject[];
  };
  await rest.close();
  return list.items.filter(({ metadata }) => names.has(metadata.name));
}

/** What may only be sent when the stage before was answered: finalizers, each stage of the children, status. */
function buildStages(found: readonly KubeObject[]): readonly (readonly RawRequest[])[] {
  const nowIso = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
  const stagesOf = found.map(({ metadata: { name, uid = '', generation = 1 } }) => {
    const tenant = buildTenantResource(name);
    const { item } = locate(tenant);
    const finalizer = [
      { op: 'test', path: '/metadata/uid', value: uid },
      { op: 'test', path: '/metadata/finalizers', value: null },
      { op: 'add', path: '/metadata/finalizers', value: [FINALIZER] },
    ];
    const { apiVersion, kind, metadata } = tenant;
    const status = { apiVersion, kind, metadata: { ...metadata, uid }, status: buildStatus(name, generation, nowIso) };
    const statusPath = `${item}/status?fieldManager=${STATUS_FIELD_MANAGER}&force=true`;
    return [
      [write('PATCH', item, 'application/json-patch+json', finalizer)],
      ...buildChildren(name, uid).map((stage) => stage.map(create)),
      [write('PATCH', statusPath, 'application/apply-patch+yaml', status)],
    ];
  });
  return (stagesOf[0] ?? []).map((_, stage) => stagesOf.flatMap((stages) => stages[stage] ?? []));
}

function create(child: Manifest): RawRequest {
  const path = `${locate(child).collection}?fieldManager=${FIELD_MANAGER}`;
  return write('POST', path, 'application/json', withAppliedHash(child));
}

function write(method: string, path: string, contentType: string, body: unknown): RawRequest {
  return renderRequest({ method, path, host: server.host, token, contentType, body: JSON.stringify(body) });
}
