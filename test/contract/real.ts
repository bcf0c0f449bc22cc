import type { RequestOptions } from 'node:https';
import type { Cluster, ClusterInfo } from '../cluster/contract.ts';
import { runKubectl } from './kubectl.ts';
import { connectServer, type Server } from './server.ts';

/** The real API server of a cluster; its history can be compacted where its etcd is known. */
export async function connectReal(cluster: Cluster, info: ClusterInfo): Promise<Server> {
  const { etcdUrl } = info;
  const options: RequestOptions = {};
  await cluster.kubeConfig.applyToHTTPSOptions(options);
  const headers = (options.headers ?? {}) as Readonly<Record<string, string>>;
  const authorization = headers.Authorization ?? headers.authorization ?? '';
  return connectServer({
    url: cluster.url,
    ca: String(options.ca),
    token: authorization.replace(/^Bearer /, ''),
    kubectl: (args, input) => runKubectl(info.kubectl, info.kubeconfigPath, args, input),
    compact: () => {
      if (etcdUrl === undefined) throw new Error('the history of a lent cluster cannot be compacted');
      return compactEtcd(etcdUrl);
    },
  });
}

/** Compacts up to the newest revision, by etcd's JSON gateway. */
async function compactEtcd(url: string): Promise<void> {
  const key = Buffer.from('/').toString('base64');
  const range = (await ask(`${url}/v3/kv/range`, { key })) as { header?: { revision?: string } };
  try {
    await ask(`${url}/v3/kv/compaction`, { revision: range.header?.revision, physical: true });
  } catch (error) {
    // Somebody else was faster, and nothing was written since.
    if (!String(error).includes('revision has been compacted')) throw error;
  }
}

async function ask(url: string, body: object): Promise<unknown> {
  const answer = await fetch(url, { method: 'POST', body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}
