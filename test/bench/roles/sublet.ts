// The operator as a contender. Argument: the number of Tenants that it has to look at until it has caught up; without it, it
// does not say when it has.
import { KubeConfig } from '@kubernetes/client-node';
import { pino } from 'pino';
import { createClient } from '../../../kube/client.ts';
import { realClock, realRandom } from '../../../kube/clock.ts';
import { createMetrics, type Metrics } from '../../../kube/metrics.ts';
import { OperatorConfig } from '../../../operator/config.ts';
import { dialTcp } from '../../../operator/dial.ts';
import { createOperator } from '../../../operator/operator.ts';
import { fail, serveRole, tell } from '../lib/rolechild.ts';

const POLL_MS = 20;

const [tenants] = process.argv.slice(2);
const config = OperatorConfig.parse({ leaderElection: false, bindAddress: '127.0.0.1', port: 0 });
const kubeConfig = new KubeConfig();
kubeConfig.loadFromDefault();
const metrics = createMetrics();
const shared = { clock: realClock, random: realRandom, log: pino({ level: 'warn' }), metrics };
const client = createClient({ ...shared, kubeConfig }, { userAgent: 'sublet-operator' });
const manager = createOperator({ ...shared, client, dial: dialTcp }, config);
const stop = new AbortController();
const running = manager.start(stop.signal);
running.catch(fail);
if (tenants !== undefined) {
  manager
    .ready()
    .then(() => reportCaughtUp(metrics, Number(tenants)))
    .catch(fail);
}

serveRole({
  stop: async () => {
    stop.abort(new Error('the bench is over'));
    await running;
    await client.close();
  },
});

/** Caught up: caches are complete, every Tenant was reconciled, and nothing waits or is being worked on. */
async function reportCaughtUp(from: Metrics, expected: number): Promise<void> {
  for (;;) {
    const text = from.render();
    const reconciled = sumOf(text, 'controller_runtime_reconcile_total', 'controller="tenant"');
    const pending = sumOf(text, 'workqueue_depth') + sumOf(text, 'controller_runtime_active_workers');
    if (reconciled >= expected && pending === 0) break;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  tell({ type: 'caught-up', seconds: performance.now() / 1_000 });
}

function sumOf(text: string, name: string, label = ''): number {
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) && line.includes(label))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}
