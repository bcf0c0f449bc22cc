import { type Order, order } from './badinput.orders.ts';

type Case = { readonly what: string; readonly order: Order; readonly says: string | RegExp };

const NETWORK = 'must be a network such as 203.0.113.0/24 or 2001:db8::/32, with no bits set after the prefix';
const USERNAME = 'must be a lower-case letter, then lower-case letters, digits, - and _';
const TENANT_NAME = 'must have at most 40 characters: lower-case letters, digits and single hyphens between them';
const COMPUTER_NAME = 'must have at most 15 characters, as Windows computer names do';
const MEMORY = 'must be whole Mi, Gi or Ti from 512Mi to 64Ti, such as 8Gi';
const STORAGE = 'must be whole Mi, Gi or Ti from 1Gi to 64Ti, such as 100Gi';
const HARD_MEMORY = 'must be whole Mi, Gi or Ti, such as 64Gi, up to 1048576Ti';
const MEBIBYTE = 2 ** 20;

/** What the API server refuses by itself, with the words that a person reads; `accepted` beside it, one step inside the limit. */
export const REFUSALS: readonly Case[] = [
  { what: 'a Tenant name at the limit', order: order.tenant('a'.repeat(40)), says: 'accepted' },
  { what: 'a Tenant name over it', order: order.tenant('a'.repeat(41), { id: 'a' }), says: TENANT_NAME },
  { what: 'a Tenant name that would separate a path', order: order.tenant('a--b'), says: TENANT_NAME },
  { what: 'a Tenant name of one character', order: order.tenant('a'), says: 'accepted' },
  {
    what: 'a Tenant name that is no DNS name',
    order: order.tenant('a_b'),
    says: /metadata\.name: Invalid value: "a_b"/,
  },
  { what: 'a desktop name at the limit', order: order.desktop('a'.repeat(15)), says: 'accepted' },
  { what: 'a desktop name over it', order: order.desktop('a'.repeat(16)), says: COMPUTER_NAME },
  { what: 'a desktop name of digits', order: order.desktop('12345'), says: COMPUTER_NAME },
  { what: 'a Plan name at the limit', order: order.desktopPlan('a'.repeat(63), 2), says: 'accepted' },
  { what: 'a Plan name over it', order: order.desktopPlan('a'.repeat(64), 2), says: /metadata\.name|Plan/ },
  { what: 'an id at the limit', order: order.tenant('bob', { id: 'a'.repeat(40) }), says: 'accepted' },
  { what: 'an id over it', order: order.tenant('bob', { id: 'a'.repeat(254) }), says: /spec\.id: Too long/ },
  ...['1e3', '-1', '0.1n', '1.5Gi', '8G', ''].map((memory) => ({
    what: `${JSON.stringify(memory)} as memory of a Plan`,
    order: order.desktopPlan('odd', 2, { memory }),
    says: memory === '' ? 'spec.desktop.memory' : at('spec.desktop.memory', memory, MEMORY),
  })),
  ...['1e3', '-1', '0.1n'].map((storage) => ({
    what: `${storage} as storage of a Plan`,
    order: order.desktopPlan('odd', 2, { storage }),
    says: at('spec.desktop.storage', storage, STORAGE),
  })),
  ...['1e3', '-1', '0.1n'].map((memory) => ({
    what: `${memory} as memory of a Quota`,
    order: order.quota('odd', { memory }),
    says: at('spec.hard.memory', memory, HARD_MEMORY),
  })),
  { what: '-1 vCPUs in a Plan', order: order.desktopPlan('odd', -1), says: /spec\.desktop\.vcpu: Invalid value: -1/ },
  { what: '1e3 vCPUs in a Quota', order: order.quota('odd', { vcpu: '1e3' }), says: /spec\.hard\.vcpu/ },
  ...['203.0.113.1/24', '2001:db8::1/32', '203.0.113.0', '::ffff:203.0.113.0/120', '010.0.0.0/8'].map((network) => ({
    what: `${network} as a network`,
    order: order.desktop('desk', { access: { allow: [network] } }),
    says: at('spec.access.allow[0]', network, NETWORK),
  })),
  {
    what: 'nobody who may connect',
    order: order.desktop('desk', { access: { allow: [] } }),
    says: /spec\.access\.allow.*at least 1/,
  },
  ...['anna\nroot', 'anna\n', 'anna: {sudo: ALL}', '"anna"', '#cloud-config', '- anna', "anna'; rm"].map(
    (username) => ({
      what: `${JSON.stringify(username)} as a user name`,
      order: order.desktop('desk', { username }),
      says: new RegExp(`spec\\.username.*(${USERNAME}|should match)`, 's'),
    }),
  ),
  { what: 'root as a user name', order: order.desktop('desk', { username: 'root' }), says: 'must not be an account' },
  {
    what: 'a name of 1 MiB',
    order: order.tenant('bob', { displayName: 'a'.repeat(MEBIBYTE) }),
    says: /spec\.displayName: Too long: may not be more than 120/,
  },
  {
    what: 'a text of 1 MiB where nothing is known',
    order: order.tenant('bob', { notes: 'a'.repeat(MEBIBYTE) }),
    says: /unknown field "spec\.notes"/,
  },
  {
    what: 'a network of 1 MiB',
    order: order.desktop('desk', { access: { allow: ['1'.repeat(MEBIBYTE)] } }),
    says: /spec\.access\.allow\[0\]: Too long: may not be more than/,
  },
  {
    what: 'more networks than a desktop may have',
    order: order.desktop('desk', { access: { allow: Array.from({ length: 65 }, (_, third) => `10.0.${third}.0/24`) } }),
    says: /spec\.access\.allow: Too many: 65: must have at most 64 items/,
  },
  {
    // By a little: it closes the connection on who goes on sending, and the answer may be lost with it.
    what: 'more than the API server reads',
    order: order.tenant('bob', { displayName: 'a'.repeat(3 * MEBIBYTE) }),
    says: /[Rr]equest.*too large|limit is/,
  },
  {
    what: '__proto__ in a spec',
    order: order.tenant('bob', proto({ type: 'Reseller' })),
    says: /unknown field "spec\.__proto__"/,
  },
  {
    what: 'constructor in a spec',
    order: order.tenant('bob', { constructor: { prototype: 1 } }),
    says: /unknown field "spec\.constructor"/,
  },
  {
    what: '__proto__ in limits',
    order: order.quota('bob', proto({ vcpu: 9 })),
    says: /unknown field "spec\.hard\.__proto__"/,
  },
  {
    what: '__proto__ as a label',
    order: { ...order.tenant('bob'), labels: proto('x') },
    says: /metadata\.labels: Invalid value: "__proto__"/,
  },
  {
    what: '__proto__ as an annotation',
    order: { ...order.tenant('bob'), annotations: proto('x') },
    says: /metadata\.annotations: Invalid value: "__proto__"/,
  },
];

/** How the API server puts a rule's message. */
function at(path: string, value: string, message: string): string {
  return `${path}: Invalid value: ${JSON.stringify(value)}: ${message}`;
}

/** An object whose own key is `__proto__`, as JSON from outside has it; a literal would set the prototype. */
function proto<T>(value: T): Readonly<Record<string, T>> {
  return Object.defineProperty({}, '__proto__', { value, enumerable: true });
}
