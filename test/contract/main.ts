// `node test/contract/main.ts [--only <text>] [--against real] [--show] [--cluster <file>]`: the contract suite without the test runner, for whoever
// works on a case or on the embedded server. `--against real` compares the real server with itself. `--cluster` names a JSON file with the
// `kubeconfig`, the `etcd` URL and the `kubectl` invocation of a control plane that runs already; without it one is started.
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { startCluster } from '../cluster/cluster.ts';
import { connectCluster } from '../cluster/connect.ts';
import type { ClusterInfo } from '../cluster/contract.ts';
import { findAllowed } from './allowed.ts';
import { SUBJECTS } from './cases/index.ts';
import { renderDifference } from './compare.ts';
import { judgeSeed, renderFinding } from './differential/judge.ts';
import { startEmbedded } from './embedded.ts';
import { installFixtures, untilControllersKnow } from './fixtures.ts';
import { connectReal } from './real.ts';
import { createScopes, judgeCase, runAll } from './suite.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    against: { type: 'string', default: 'embedded' },
    show: { type: 'boolean', default: false },
    cluster: { type: 'string' },
    seed: { type: 'string' },
    seeds: { type: 'string', default: '1' },
    length: { type: 'string', default: '40' },
  },
});

const started = performance.now();
const own = values.cluster === undefined ? await startCluster({ log: console.error }) : undefined;
const info = own?.info ?? (await readInfo(values.cluster ?? ''));
const cluster = own ?? (await connectCluster(info));
const real = await connectReal(cluster, info);
const embedded = values.against === 'real' ? undefined : await startEmbedded(info.kubectl);
const servers = { real, embedded: embedded?.server ?? real };
await installFixtures(real);
await untilControllersKnow(real);
if (embedded !== undefined) await installFixtures(embedded.server);
const scopes = createScopes();
const times: { readonly name: string; readonly ms: number }[] = [];
let count = 0;
let wrong = 0;
let differences = 0;
const tasks = SUBJECTS.flatMap(({ subject, cases }) =>
  cases
    .filter((one) => `${subject}: ${one.name}`.includes(values.only))
    .map((one) => ({
      alone: one.alone === true,
      run: async () => {
        const name = `${subject}: ${one.name}`;
        const beganMs = performance.now();
        const judged = await judgeCase(one, servers, scopes);
        times.push({ name, ms: performance.now() - beganMs });
        const result = { ...judged, differences: judged.differences.filter((found) => !findAllowed(name, found)) };
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
const ready = performance.now();
if (values.seed === undefined) await runAll(tasks);
else {
  for (let seed = Number(values.seed); seed < Number(values.seed) + Number(values.seeds); seed++) {
    const finding = await judgeSeed(seed, Number(values.length), servers, scopes);
    count++;
    if (finding === undefined) continue;
    wrong++;
    console.log(`\n${renderFinding(finding)}`);
  }
}
const seconds = (ms: number) => (ms / 1_000).toFixed(1);
console.log(
  `\n${count} cases, ${wrong} wrong, ${differences} differences, ${seconds(performance.now() - ready)} s after ${seconds(ready - started)} s`,
);
const slowest = times.sort((a, b) => b.ms - a.ms).slice(0, 6);
console.log(slowest.map(({ name, ms }) => `${seconds(ms)} s ${name}`).join('; '));
await embedded?.close();
await real.close();
await cluster.stop();

async function readInfo(file: string): Promise<ClusterInfo> {
  const { kubeconfig, etcd, kubectl } = JSON.parse(await readFile(file, 'utf8'));
  return { kubeconfigPath: kubeconfig, etcdUrl: etcd, kubectl, flux: false };
}
