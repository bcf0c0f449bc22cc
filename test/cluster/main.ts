// `npm run cluster`: a real control plane with Flux for a person to try things on, until Ctrl-C.
import { UnavailableError } from './binaries.ts';
import { startCluster } from './cluster.ts';

try {
  const cluster = await startCluster({ flux: true, log: console.log });
  const fleet = await cluster.gitRemote('fleet');
  const kubectl = [cluster.info.kubectl.command, ...cluster.info.kubectl.args].join(' ');
  console.log(`
Kubernetes and Flux are running. In another terminal:

  export KUBECONFIG=${cluster.kubeconfigPath}
  alias kubectl="${kubectl}"
  kubectl get namespaces
  kubectl get crds
  git clone ${fleet.url}

Logs, the audit log among them, are in ${cluster.info.folder}.
Ctrl-C stops everything and removes the folder.`);
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
    // Keeps this process alive: everything else that it holds open is not meant to.
    setInterval(() => {}, 2 ** 30);
  });
  console.log('\nstopping ...');
  await cluster.stop();
  process.exit(0);
} catch (error) {
  if (!(error instanceof UnavailableError)) throw error;
  console.error(error.message);
  process.exit(1);
}
