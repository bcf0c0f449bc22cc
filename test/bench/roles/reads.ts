import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createTestApi, desktop, plan, ROOT_PLANS, user } from '../../../api/testing/testapi.ts';

/** What the bench is told once both servers listen. */
export type ReadsReady = {
  readonly type: 'ready';
  readonly barePort: number;
  readonly apiPort: number;
  readonly tokens: readonly string[];
  readonly path: string;
  readonly bodyBytes: number;
};
/** CPU seconds of this process so far. */
export type ReadsUsage = { readonly type: 'usage'; readonly cpuSeconds: number };

const TENANTS = 1_000;
/** So many users that nobody comes to his limit of rate. */
const USERS = Number(process.argv[2] ?? 400);
const PATH = '/v1/tenants/acme--bob/desktops/anna-desk';

const api = await createTestApi();
for (const object of ROOT_PLANS) api.put(object);
api.sell('acme', { type: 'Reseller', members: [user('rita', 'Owner')] });
api.put(plan('t-acme', 'pro', { basedOn: 'basic' }));
for (let i = 0; i < TENANTS; i++) api.sell(`acme--c${i}`, { members: [user(`c${i}`, 'Owner')] });
const users = Array.from({ length: USERS }, (_, i) => `u${i}`);
api.sell('acme--bob', { members: users.map((name) => user(name, 'Developer')) });
api.put(
  desktop('t-acme--bob', 'anna-desk', { plan: 'pro' }, { address: '198.51.100.7', port: 3389, power: 'Running' }),
);

const tokens = await Promise.all(users.map((name) => api.issuer.sign({ sub: name })));
const sample = await api.call({ url: PATH, headers: { authorization: `Bearer ${tokens[0]}` } });
if (sample.statusCode !== 200) throw new Error(`the API answered ${sample.statusCode}: ${sample.body}`);
const body = Buffer.from(sample.body);

const bare = createServer((_, response) => {
  response.writeHead(200, { 'content-type': 'application/json; charset=utf-8', 'content-length': body.length });
  response.end(body);
});
await new Promise<void>((resolve) => bare.listen(0, '127.0.0.1', resolve));
await api.app.listen({ host: '127.0.0.1', port: 0 });

process.on('message', (message) => {
  if (message === 'stop') process.exit(0);
  const { user: userUs, system } = process.cpuUsage();
  process.send?.({ type: 'usage', cpuSeconds: (userUs + system) / 1e6 } satisfies ReadsUsage);
});
process.send?.({
  type: 'ready',
  barePort: (bare.address() as AddressInfo).port,
  apiPort: (api.app.server.address() as AddressInfo).port,
  tokens,
  path: PATH,
  bodyBytes: body.length,
} satisfies ReadsReady);
