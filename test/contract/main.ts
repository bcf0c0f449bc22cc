// `node test/contract/main.ts [--only <text>] [--against real] [--show] [--kubeconfig <file> --etcd <url>]`: the contract suite without the
// test runner, for whoever works on a case or on the embedded server. `--against real` compares the real server with itself.
import { parseArgs } from 'node:util';
import { startCluster } from '../cluster/cluster.ts';
import { connectCluster } from '../cluster/connect.ts';
import { SUBJECTS } from './cases/index.ts';
import { renderDifference } from './compare.ts';
import { installFixtures } from './fixtures.ts';
import { connectReal } from './real.ts';
import { createScopes, judgeCase, runAll } from './suite.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    against: { type: 'string', default: 'embedded' },
    show: { type: 'boolean', default: false },
    kubeconfig: { type: 'string' },
    etcd: { type: 'string' },
  },
});

const started = performance.now();
const own = values.kubeconfig === undefined ? await startCluster({ log: console.error }) : undefined;
const cluster =
  own ??
  (await connectCluster({
    kubeconfigPath: values.kubeconfig ?? '',
    flux: false,
    kubectl: { command: 'kubectl', args: [] },
  }));
const real = await connectReal(cluster, own?.info.etcdUrl ?? values.etcd);
const servers = { real, embedded: real };
await installFixtures(real);
const scopes = createScopes();
let count = 0;
let wrong = 0;
let differences = 0;
const tasks = SUBJECTS.flatMap(({ subject, cases }) =>
  cases
    .filter((one) => `${subject}: ${one.name}`.includes(values.only))
    .map((one) => ({
      alone: one.alone === true,
      run: async () => {
        const result = await judgeCase(one, servers, scopes);
        count++;
        if (values.show) console.log(`${subject}: ${one.name}\n${JSON.stringify(result.real, null, 1)}`);
        if (result.differences.length + result.failures.length === 0) return;
        wrong++;
        differences += result.differences.length;
        console.log(`\n${subject}: ${one.name}`);
        for (const failure of result.failures) console.log(`  CASE WRONG ${failure}`);
        for (const difference of result.differences) console.log(`  ${renderDifference(difference)}`);
      },
    })),
);
await runAll(tasks);
console.log(
  `\n${count} cases, ${wrong} wrong, ${differences} differences, ${((performance.now() - started) / 1_000).toFixed(1)} s`,
);
await real.close();
await cluster.stop();
