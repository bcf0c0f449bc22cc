import { KubeConfig } from '@kubernetes/client-node';
import { pino } from 'pino';
import { createClient } from '../kube/client.ts';
import { realClock, realRandom } from '../kube/clock.ts';
import { createMetrics } from '../kube/metrics.ts';
import { createServerClock } from '../kube/serverclock.ts';
import { OperatorConfig } from './config.ts';
import { dialTcp } from './dial.ts';
import { createOperator } from './operator.ts';

/**
 * Runs the operator until the signal aborts: kubeconfig as kubectl finds it, or the pod's ServiceAccount. Rejects when leadership
 * is lost, so that the process ends and a fresh one stands for election.
 */
export async function runOperator(settings: unknown, signal: AbortSignal): Promise<void> {
  const config = parseConfig(settings);
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromDefault();
  const log = pino({ name: 'sublet-operator' });
  const metrics = createMetrics();
  const { clock, observeDate } = createServerClock({ clock: realClock, log });
  const shared = { clock, random: realRandom, log, metrics };
  const client = createClient({ ...shared, kubeConfig, observeDate }, { userAgent: 'sublet-operator' });
  try {
    await createOperator({ ...shared, client, dial: dialTcp }, config).start(signal);
  } finally {
    await client.close();
  }
}

function parseConfig(settings: unknown): OperatorConfig {
  const result = OperatorConfig.safeParse(settings);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => `${issue.path.join('.') || 'settings'}: ${issue.message}`);
  throw new Error(`the operator's settings are wrong: ${problems.join('; ')}. operator/config.ts says what each takes`);
}
