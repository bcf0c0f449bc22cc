// Writes recorded.json: what a real API server says to the cases of this folder. Run by hand, with KUBECONFIG of `npm run cluster`, after the cases
// changed: `node simulator/apiserver/schema/testing/record.ts`. The agreement test holds the file against the server.
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import { createRest } from '../../../../test/cluster/rest.ts';
import { DEFINITION_CASES } from './baddefinitions.ts';
import { VALUE_CASES } from './cases.ts';
import { buildDefinition, TEST_KINDS } from './definitions.ts';
import { askServer, NAMESPACE, serveDefinition, type Verdicts } from './served.ts';
import { readVerdict } from './verdict.ts';

const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

const kubeConfig = new KubeConfig();
kubeConfig.loadFromDefault();
const rest = await createRest(kubeConfig);
await rest.call('POST', '/api/v1/namespaces', { metadata: { name: NAMESPACE } });
const served = new Map<string, ReturnType<typeof serveDefinition>>();
for (const kind of TEST_KINDS) {
  const definition = buildDefinition(kind);
  const { status, body } = await rest.call('POST', DEFINITIONS, definition);
  if (status !== 201 && status !== 409) throw new Error(JSON.stringify(body));
  served.set(kind.kind, serveDefinition(definition));
}
await new Promise((resolve) => setTimeout(resolve, 5_000));

const values: Verdicts[] = [];
for (const one of VALUE_CASES) {
  const kind = served.get(one.kind);
  if (kind === undefined) throw new Error(`no kind ${one.kind}`);
  values.push(await askServer(rest, kind, one));
}
const definitions: (readonly string[])[] = [];
for (const { definition } of DEFINITION_CASES) {
  const verdict = readVerdict(await rest.call('POST', `${DEFINITIONS}?dryRun=All`, definition));
  definitions.push(verdict.code === 422 ? verdict.causes : []);
}
await writeFile(path.join(import.meta.dirname, 'recorded.json'), `${JSON.stringify({ values, definitions })}\n`);
await rest.close();
