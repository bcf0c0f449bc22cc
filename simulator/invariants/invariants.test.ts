import { describe, expect, it } from 'vitest';
import { checkTrail } from './checker.ts';
import { compareStates } from './stable.ts';
import { type Change, type Live, type RequestSent, renderViolation, type TrailEvent } from './trail.ts';

const START = Date.UTC(2026, 10, 21, 9);
const DAY_MS = 86_400_000;
const time = (afterMs: number): string => new Date(START + afterMs).toISOString();

let version = 0;

/** A stored object with what the API server adds. */
function live(object: Live): Live {
  version += 1;
  return {
    ...object,
    metadata: {
      uid: `uid-${object.metadata.name}`,
      resourceVersion: String(version),
      generation: 1,
      ...object.metadata,
    },
  };
}

function change(
  actor: string,
  resource: string,
  before: Live | undefined,
  after: Live | undefined,
  afterMs = 0,
): Change {
  const { namespace, name } = (after ?? before)?.metadata ?? { name: '' };
  const key = namespace === undefined ? name : `${namespace}/${name}`;
  return { type: 'change', atMs: START + afterMs, actor, resource, key, before, after };
}

function request(
  verb: RequestSent['verb'],
  resource: string,
  key: string,
  rest: Partial<RequestSent> = {},
): RequestSent {
  version += 1;
  return { type: 'request', id: version, atMs: START, actor: 'operator/1', verb, resource, key, ...rest };
}

const TENANT = live({
  kind: 'Tenant',
  metadata: { name: 'bob', namespace: 'sublet-root' },
  spec: { id: 'bob', plan: 'team', deletion: { policy: 'Retain', graceDays: 7 } },
});
const PLAN = live({
  kind: 'Plan',
  metadata: { name: 'team', namespace: 'sublet-root' },
  spec: { offers: 'Tenant', limits: { vcpu: 4, memory: '8Gi', storage: '100Gi', desktops: 2 } },
});
const HOME = live({
  kind: 'Namespace',
  metadata: {
    name: 't-bob',
    labels: { 'sublet.dev/tenant-id': 'bob-1', 'sublet.dev/owner-kind': 'Tenant', 'sublet.dev/owner-name': 'bob' },
    annotations: { 'sublet.dev/tenant-id': 'bob-1', 'sublet.dev/parent-id': 'root', 'sublet.dev/path': 'bob' },
  },
});
const DESKTOP = live({
  kind: 'RDPInstance',
  metadata: { name: 'desk', namespace: 't-bob' },
  spec: { plan: 'small', power: 'Running', deletion: { policy: 'Retain', graceDays: 7 } },
});
const LABELS = {
  'sublet.dev/tenant-id': 'bob-1',
  'sublet.dev/owner-kind': 'RDPInstance',
  'sublet.dev/owner-name': 'desk',
};
const CHILD = { name: 'rdp-desk', namespace: 't-bob', labels: LABELS };
const RECORD = live({
  kind: 'ConfigMap',
  metadata: { name: 'sublet-grants', namespace: 't-bob' },
  data: { 'desktops.desk': '{"used":{"vcpu":"2","memory":"4Gi","storage":"20Gi","desktops":"1"},"allotted":{}}' },
});
const DISK = live({
  kind: 'DataVolume',
  metadata: CHILD,
  spec: { storage: { resources: { requests: { storage: '20Gi' } } } },
});
const MACHINE = live({
  kind: 'VirtualMachine',
  metadata: CHILD,
  spec: {
    runStrategy: 'RerunOnFailure',
    template: { spec: { domain: { cpu: { cores: 2 }, memory: { guest: '4Gi' } } } },
  },
});
const GUEST = live({ kind: 'VirtualMachineInstance', metadata: { ...CHILD, uid: 'guest-1' } });

/** A customer with a running desktop, as it comes about without a fault. */
const GOOD: readonly TrailEvent[] = [
  change('person', 'plans.sublet.dev', undefined, PLAN),
  change('person', 'tenants.sublet.dev', undefined, TENANT),
  change('operator/1', 'namespaces', undefined, HOME),
  change('person', 'rdpinstances.sublet.dev', undefined, DESKTOP),
  change('operator/1', 'configmaps', undefined, RECORD),
  change('operator/1', 'datavolumes.cdi.kubevirt.io', undefined, DISK),
  change('operator/1', 'virtualmachines.kubevirt.io', undefined, MACHINE),
  change('kubevirt', 'virtualmachineinstances.kubevirt.io', undefined, GUEST),
];

function broken(...events: readonly TrailEvent[]): readonly string[] {
  return checkTrail([...GOOD, ...events]).map(({ invariant, text }) => `${invariant} ${text}`);
}

function edited(object: Live, spec: object, metadata: object = {}): Live {
  return live({
    ...object,
    spec: { ...(object.spec as object), ...spec },
    metadata: { ...object.metadata, ...metadata },
  });
}

function stamped(object: Live, sweepAfterMs: number, annotations: object = {}): Live {
  const stamps = { 'sublet.dev/removed-at': time(0), 'sublet.dev/sweep-at': time(sweepAfterMs), ...annotations };
  return live({
    ...object,
    metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, ...stamps } },
  });
}

it('finds nothing in a good trail', () => {
  expect(checkTrail(GOOD)).toEqual([]);
});

it('says in one line what is broken, when, where and by which request', () => {
  const [found] = checkTrail([
    ...GOOD,
    request('delete', 'virtualmachines.kubevirt.io', 't-bob/rdp-desk', { means: { uid: 'u', resourceVersion: '7' } }),
    change('operator/1', 'virtualmachines.kubevirt.io', MACHINE, undefined),
  ]);
  expect(found && renderViolation(found)).toBe(
    '2026-11-21T09:00:00.000Z I7 virtualmachines.kubevirt.io t-bob/rdp-desk: it was deleted and had never been stamped as removed ' +
      '(operator/1 delete virtualmachines.kubevirt.io t-bob/rdp-desk)',
  );
});

describe('I1 stable', () => {
  it('a write after everything settled', () => {
    const settled = { type: 'settled', atMs: START } as const;
    const write = request('apply', 'tenants.sublet.dev', 'sublet-root/bob', {
      subresource: 'status',
      means: { uid: 'u', resourceVersion: '99' },
    });
    expect(broken(settled, write)).toEqual(['I1 a write was sent although everything had settled']);
    expect(broken(settled, { type: 'disturbed', atMs: START }, write)).toEqual([]);
    expect(broken(settled, request('get', 'tenants.sublet.dev', 'sublet-root/bob'))).toEqual([]);
    expect(broken(settled, { ...write, actor: 'person' })).toEqual([]);
  });

  it('an end that differs in anything but uid, version, time and what is drawn', () => {
    const calm = new Map([
      ['services t-bob/rdp-desk', live({ metadata: CHILD, spec: { clusterIP: '10.0.0.1', type: 'NodePort' } })],
    ]);
    const same = new Map([
      [
        'services t-bob/rdp-desk',
        live({ metadata: { ...CHILD, uid: 'other' }, spec: { clusterIP: '10.0.0.9', type: 'NodePort' } }),
      ],
    ]);
    const other = new Map([
      ['services t-bob/rdp-desk', live({ metadata: CHILD, spec: { clusterIP: '10.0.0.1', type: 'ClusterIP' } })],
    ]);
    expect(compareStates(calm, same, START)).toEqual([]);
    expect(compareStates(calm, other, START).map(({ text }) => text)).toEqual([
      'it differs from the calm run\'s: spec.type is "ClusterIP" instead of "NodePort"',
    ]);
    expect(compareStates(calm, new Map(), START).map(({ text }) => text)).toEqual([
      'it is missing, and the calm run has it',
    ]);
    expect(compareStates(new Map(), calm, START).map(({ text }) => text)).toEqual([
      'it is there, and the calm run has none',
    ]);
  });
});

describe('I2 no collateral', () => {
  it('a namespace that is no tenant’s is adopted or touched', () => {
    const foreign = live({ kind: 'Namespace', metadata: { name: 't-eve' } });
    const taken = live({ ...HOME, metadata: { ...HOME.metadata, name: 't-eve' } });
    expect(broken(change('operator/1', 'namespaces', foreign, taken))[0]).toMatch(
      /^I2 a namespace that is no tenant’s was touched/,
    );
    expect(broken(change('person', 'namespaces', foreign, taken))).toEqual([]);
  });

  it('a namespace is given another identity', () => {
    const other = live({
      ...HOME,
      metadata: { ...HOME.metadata, annotations: { ...HOME.metadata.annotations, 'sublet.dev/tenant-id': 'eve-1' } },
    });
    expect(broken(change('operator/1', 'namespaces', HOME, other))).toEqual([
      'I2 a namespace was given another identity',
    ]);
  });

  it('an object without an owner, or with another one, is touched', () => {
    const theirs = live({
      kind: 'Service',
      metadata: { name: 'rdp-desk', namespace: 't-bob' },
      spec: { type: 'ClusterIP' },
    });
    expect(broken(change('operator/1', 'services', theirs, undefined))[0]).toMatch(/carries no owner of ours/);
    const mine = live({ kind: 'Service', metadata: CHILD, spec: { type: 'ClusterIP' } });
    const eves = live({ ...mine, metadata: { ...CHILD, labels: { ...LABELS, 'sublet.dev/owner-name': 'eve' } } });
    expect(broken(change('operator/1', 'services', eves, mine))[0]).toMatch(/was given to/);
    const elsewhere = live({ ...mine, metadata: { ...CHILD, namespace: 't-eve' } });
    expect(broken(change('operator/1', 'services', undefined, elsewhere))[0]).toMatch(
      /belongs to another tenant than t-eve/,
    );
  });

  it('a spec, a label or an order is changed by the operator', () => {
    expect(
      broken(change('operator/1', 'rdpinstances.sublet.dev', DESKTOP, edited(DESKTOP, { power: 'Stopped' })))[0],
    ).toMatch(/the spec changed/);
    expect(
      broken(change('operator/1', 'rdpinstances.sublet.dev', DESKTOP, edited(DESKTOP, {}, { labels: { a: 'b' } })))[0],
    ).toMatch(/labels or annotations/);
    expect(broken(change('operator/1', 'rdpinstances.sublet.dev', DESKTOP, undefined))[0]).toMatch(
      /deleted what somebody ordered/,
    );
    expect(
      broken(
        change(
          'operator/1',
          'rdpinstances.sublet.dev',
          DESKTOP,
          edited(DESKTOP, {}, { finalizers: ['sublet.dev/tombstone'] }),
        ),
      ),
    ).toEqual([]);
  });
});

describe('I3 no duplicate effect', () => {
  it('a second machine of one identity at the same time', () => {
    const second = live({ ...MACHINE, metadata: { ...CHILD, name: 'rdp-desk-2' } });
    expect(broken(change('operator/1', 'virtualmachines.kubevirt.io', undefined, second))).toEqual([
      'I3 bob-1/RDPInstance/desk has two: the other is t-bob/rdp-desk',
      'I3 it was made a second time for the same order',
    ]);
  });

  it('a disk made again for the same order, but for one that somebody else took away', () => {
    const again = change('operator/1', 'datavolumes.cdi.kubevirt.io', undefined, DISK);
    const swept = stamped(DISK, 0);
    const removed = change('operator/1', 'datavolumes.cdi.kubevirt.io', swept, undefined, 2_000);
    expect(broken(removed, again)).toEqual(['I3 it was made a second time for the same order']);
    expect(broken(change('person', 'datavolumes.cdi.kubevirt.io', DISK, undefined), again)).toEqual([]);
  });

  it('a second namespace of one tenant', () => {
    const second = live({ ...HOME, metadata: { ...HOME.metadata, name: 't-bob2' } });
    expect(broken(change('operator/1', 'namespaces', undefined, second))).toEqual([
      'I3 tenant bob has two namespaces: the other is t-bob',
    ]);
  });
});

describe('I4 ends', () => {
  const born = (afterMs: number): TrailEvent =>
    change('kubevirt', 'virtualmachineinstances.kubevirt.io', GUEST, {
      ...GUEST,
      metadata: { ...GUEST.metadata, creationTimestamp: time(afterMs) },
    });
  const halt = change('operator/1', 'virtualmachines.kubevirt.io', MACHINE, edited(MACHINE, { runStrategy: 'Halted' }));
  const status = (epoch: object): TrailEvent =>
    change('operator/1', 'rdpinstances.sublet.dev', DESKTOP, { ...DESKTOP, status: { epoch } });
  const ends = (...events: readonly TrailEvent[]): readonly string[] =>
    broken(...events, halt).filter((text) => text.includes('no end of guest'));

  it('are recorded before a guest is stopped', () => {
    expect(ends(born(-3_600_000))).toEqual(['I4 its guest is stopped and no end of guest guest-1 is recorded']);
    expect(ends(born(-3_600_000), status({ vmiUID: 'guest-1' }))).toHaveLength(1);
    expect(ends(born(-3_600_000), status({ vmiUID: 'guest-0', endedAt: time(0) }))).toHaveLength(1);
    expect(ends(born(-3_600_000), status({ vmiUID: 'guest-1', endedAt: time(0) }))).toEqual([]);
  });

  it('are not asked of a guest that nobody can have seen, nor of a desktop that was removed', () => {
    expect(ends(born(-1_000))).toEqual([]);
    const removed = change('person', 'rdpinstances.sublet.dev', DESKTOP, undefined);
    expect(ends(born(-3_600_000), removed)).toEqual([]);
  });
});

describe('I4 shares', () => {
  const grants = (entries: Readonly<Record<string, object>>): Live =>
    live({
      ...RECORD,
      data: Object.fromEntries(
        Object.entries(entries).map(([name, used]) => [name, JSON.stringify({ used, allotted: {} })]),
      ),
    });

  it('what costs is made before its share is recorded', () => {
    const at = GOOD.findIndex((event) => event.type === 'change' && event.resource === 'configmaps');
    const found = checkTrail(GOOD.toSpliced(at, 1)).map(({ object, text }) => `${object}: ${text}`);
    expect(found).toContain(
      'datavolumes.cdi.kubevirt.io t-bob/rdp-desk: it takes 21474836480 of storage, of which 0 was recorded before',
    );
    expect(found).toContain(
      'virtualmachines.kubevirt.io t-bob/rdp-desk: it takes 2 of vcpu, of which 0 was recorded before',
    );
  });

  it('a machine that grows beyond its share', () => {
    const larger = edited(MACHINE, { template: { spec: { domain: { cpu: { cores: 4 }, memory: { guest: '4Gi' } } } } });
    expect(broken(change('operator/1', 'virtualmachines.kubevirt.io', MACHINE, larger))).toEqual([
      'I4 it takes 4 of vcpu, of which 2 was recorded before',
    ]);
  });

  it('more is recorded than Plan and Quota allow', () => {
    const more = grants({ 'desktops.desk': { vcpu: '2' }, 'desktops.two': { vcpu: '3' } });
    expect(broken(change('operator/1', 'configmaps', RECORD, more, 60_000))).toEqual([
      'I4 5 of vcpu are recorded and 4 are allowed',
    ]);
    const quota = live({
      kind: 'Quota',
      metadata: { name: 'bob', namespace: 'sublet-root' },
      spec: { hard: { vcpu: 3 } },
    });
    const fits = grants({ 'desktops.desk': { vcpu: '2' }, 'desktops.two': { vcpu: '2' } });
    expect(
      broken(
        change('person', 'quotas.sublet.dev', undefined, quota),
        change('operator/1', 'configmaps', RECORD, fits, 60_000),
      ),
    ).toEqual(['I4 4 of vcpu are recorded and 3 are allowed']);
  });

  it('a record without its desktop, and a disk without its record, once all has settled', () => {
    const settled = { type: 'settled', atMs: START } as const;
    expect(broken(settled)).toEqual([]);
    expect(
      broken(change('person', 'configmaps', RECORD, grants({ 'desktops.gone': {}, 'desktops.desk': {} })), settled),
    ).toEqual(['I4 desktops.gone is recorded and nothing of it exists']);
    expect(broken(change('person', 'configmaps', RECORD, undefined), settled)).toEqual([
      'I4 it exists and desktops.desk is not recorded',
      'I4 it exists and desktops.desk is not recorded',
    ]);
  });
});

describe('I4 at rest', () => {
  const settled = { type: 'settled', atMs: START } as const;
  const ledger = (name: string, namespace: string, grant: object): Live =>
    live({
      kind: 'ConfigMap',
      metadata: { name: 'sublet-grants', namespace },
      data: { [name]: JSON.stringify({ used: {}, allotted: {}, ...grant }) },
    });
  const record = (used: object, ...events: readonly TrailEvent[]) =>
    broken(...events, change('person', 'configmaps', RECORD, ledger('desktops.desk', 't-bob', { used })), settled);

  it('more is recorded of a desktop than it takes', () => {
    expect(record({ vcpu: '2', storage: '20Gi', desktops: '1' })).toEqual([]);
    expect(record({ vcpu: '3', storage: '20Gi' })).toEqual(['I4 desktops.desk has 3 of vcpu recorded, and takes 2']);
    expect(record({ addresses: '1' })).toEqual(['I4 desktops.desk has 1 of addresses recorded, and takes 0']);
    const service = live({ kind: 'Service', metadata: CHILD, spec: { type: 'LoadBalancer' } });
    expect(record({ addresses: '1' }, change('person', 'services', undefined, service))).toEqual([]);
  });

  it('a desktop that is stopped or removed keeps what only a guest needs', () => {
    const down = change('kubevirt', 'virtualmachineinstances.kubevirt.io', GUEST, undefined);
    const said = (reason: string) =>
      change('person', 'rdpinstances.sublet.dev', DESKTOP, {
        ...DESKTOP,
        status: { conditions: [{ type: 'Ready', status: 'False', reason }] },
      });
    expect(record({ vcpu: '2' }, down, said('Suspended'))).toEqual([]);
    expect(record({ vcpu: '2' }, down, said('Stopped'))).toEqual([
      'I4 desktops.desk has 2 of vcpu recorded, and takes 0',
    ]);
    const removed = change('person', 'rdpinstances.sublet.dev', DESKTOP, undefined);
    expect(record({ storage: '20Gi' }, removed)).toEqual([]);
    expect(record({ storage: '20Gi', desktops: '1' }, removed)).toEqual([
      'I4 desktops.desk has 1 of desktops recorded, and takes 0',
    ]);
  });

  it('a tenant takes more than its seller recorded for it', () => {
    const annotations = {
      'sublet.dev/tenant-id': 'eve-1',
      'sublet.dev/parent-id': 'bob-1',
      'sublet.dev/path': 'bob--eve',
    };
    const home = live({ kind: 'Namespace', metadata: { name: 't-bob--eve', annotations } });
    const share = (vcpu: string) =>
      broken(
        change('operator/1', 'namespaces', undefined, home),
        change('person', 'datavolumes.cdi.kubevirt.io', DISK, undefined),
        change('person', 'virtualmachines.kubevirt.io', MACHINE, undefined),
        change('person', 'configmaps', RECORD, ledger('tenants.eve', 't-bob', { allotted: { vcpu } })),
        change('person', 'configmaps', undefined, ledger('tenants.ann', 't-bob--eve', { allotted: { vcpu: '3' } })),
        change('person', 'tenants.sublet.dev', undefined, live({ metadata: { name: 'ann', namespace: 't-bob--eve' } })),
        settled,
      );
    expect(share('3')).toEqual([]);
    expect(share('2')).toEqual(['I4 tenants.eve has 2 of vcpu recorded, and 3 are taken below it']);
  });
});

describe('I5 monotonic', () => {
  const key = 't-bob/rdp-desk';

  it('a delete, a replacement or a patch that does not say what it means', () => {
    expect(broken(request('delete', 'virtualmachines.kubevirt.io', key))[0]).toMatch(/^I5 a delete without/);
    expect(broken(request('delete', 'virtualmachines.kubevirt.io', key, { means: { uid: 'u' } }))[0]).toMatch(
      /^I5 a delete without/,
    );
    expect(broken(request('update', 'configmaps', 't-bob/sublet-grants'))[0]).toMatch(/^I5 a replacement without/);
    expect(broken(request('patch', 'virtualmachines.kubevirt.io', key, { means: { uid: 'u' } }))[0]).toMatch(
      /^I5 a patch without/,
    );
    const status = { subresource: 'status', means: { uid: 'u' } };
    expect(broken(request('patch', 'virtualmachines.kubevirt.io', key, status))[0]).toMatch(/^I5 a patch without/);
    expect(broken(request('patch', 'tenants.sublet.dev', 'sublet-root/bob', { tests: ['/metadata/uid'] }))[0]).toMatch(
      /^I5 finalizers are patched/,
    );
  });

  it('an apply over what is there that does not say what it means', () => {
    const machine = 'virtualmachines.kubevirt.io';
    expect(broken(request('apply', machine, key))).toEqual([
      'I5 an apply over what is there without the UID and version that it means',
    ]);
    expect(broken(request('apply', machine, key, { means: { uid: 'u' }, subresource: 'status' }))).toHaveLength(1);
    expect(broken(request('apply', machine, key, { means: { uid: 'u', resourceVersion: '99' } }))).toEqual([]);
    expect(broken(request('apply', machine, 't-bob/rdp-other'))).toEqual([]);
  });

  it('a request about a version older than what its process was answered', () => {
    const sent = request('patch', 'virtualmachines.kubevirt.io', key, { means: { uid: 'u', resourceVersion: '10' } });
    const answer = { type: 'answer', id: sent.id, atMs: START, code: 200, resourceVersion: '12' } as const;
    const later = request('patch', 'virtualmachines.kubevirt.io', key, {
      means: { uid: 'u', resourceVersion: '11' },
      atMs: START + 5,
    });
    expect(broken(sent, answer, later)).toEqual([
      'I5 it means version 11, and its process had been answered 12 before',
    ]);
    expect(broken(sent, answer, { ...later, means: { uid: 'u', resourceVersion: '12' } })).toEqual([]);
    expect(broken(sent, answer, { ...later, actor: 'operator/2' })).toEqual([]);
    expect(broken(sent, later)).toEqual([]);
  });
});

describe('I6 bounded effort', () => {
  /** The good trail itself is old by then. */
  const LATER = START + 120_000;
  const tries = (
    count: number,
    code: number,
    everyMs: number,
    versionOf: (at: number) => string | undefined = () => undefined,
    verb: 'apply' | 'create' | 'get' | 'list' = 'apply',
  ): readonly TrailEvent[] =>
    Array.from({ length: count }, (_, at) => {
      const means = { resourceVersion: versionOf(at) };
      const sent = request(verb, 'services', 't-bob/rdp-desk', { atMs: LATER + at * everyMs, means });
      return [sent, { type: 'answer', id: sent.id, atMs: LATER + at * everyMs, code } as const];
    }).flat();

  it('an eleventh failing request within a minute, whatever else changes', () => {
    expect(broken(...tries(11, 500, 1_000))).toEqual([
      'I6 11 failing requests within a minute, the last a apply (500)',
    ]);
    expect(broken(...tries(10, 500, 1_000))).toEqual([]);
    expect(broken(...tries(30, 500, 6_000))).toEqual([]);
    expect(broken(...tries(30, 200, 10))).toEqual([]);
    expect(broken(...tries(9, 0, 10), ...tries(1, 200, 10), ...tries(9, 0, 10))).toEqual([]);
    // That it can be read in between does not make a write that fails for good a new one.
    const read = tries(1, 200, 10, undefined, 'get');
    expect(broken(...tries(9, 0, 10), ...read, ...tries(9, 0, 10))).toHaveLength(1);
    const grown = change('kubevirt', 'datavolumes.cdi.kubevirt.io', DISK, DISK, 120_000);
    expect(broken(grown, ...tries(11, 500, 1_000))).toHaveLength(1);
    expect(broken(...tries(11, 409, 1_000, () => '7'))).toHaveLength(1);
    expect(broken(...tries(30, 409, 1_000, (at) => String(at)))).toEqual([]);
    expect(broken(...tries(11, 404, 1_000))).toHaveLength(1);
    expect(broken(...tries(11, 410, 1_000, undefined, 'get'))).toHaveLength(1);
    expect(broken(...tries(30, 404, 1_000, undefined, 'get'))).toEqual([]);
    expect(broken(...tries(11, 409, 1_000, undefined, 'create'))).toHaveLength(1);
    expect(broken(...tries(10, 409, 1_000, undefined, 'create'))).toEqual([]);
    expect(broken(...tries(10, 409, 1_000, undefined, 'create'), ...tries(1, 500, 1_000))).toHaveLength(1);
    expect(broken(...tries(41, 500, 1_000, undefined, 'list'))).toHaveLength(1);
    expect(broken(...tries(40, 500, 1_000, undefined, 'list'))).toEqual([]);
  });
});

describe('I7 absence deletes nothing', () => {
  const machines = 'virtualmachines.kubevirt.io';

  it('something of value is deleted unstamped, early, held, or while the breaker is tripped', () => {
    const end = (object: Live, afterMs: number) => change('operator/1', machines, object, undefined, afterMs);
    expect(broken(end(MACHINE, 0))[0]).toMatch(/never been stamped/);
    expect(broken(end(stamped(MACHINE, 7 * DAY_MS), 6 * DAY_MS))).toEqual([
      'I7 it was deleted 86400 s before its grace was over',
    ]);
    expect(broken(end(stamped(MACHINE, DAY_MS), DAY_MS))).toEqual([]);
    expect(broken(end(stamped(MACHINE, 0, { 'sublet.dev/held': 'x' }), 5_000))[0]).toMatch(
      /although the breaker held it/,
    );
    const tripped = live({
      metadata: { name: 'sublet-breaker', namespace: 'sublet-system' },
      data: { id: '1', trippedAt: time(0) },
    });
    expect(broken(change('operator/1', 'configmaps', undefined, tripped), end(stamped(MACHINE, 0), 90_000))[0]).toMatch(
      /breaker was tripped/,
    );
  });

  it('what was removed and came back is deleted, but not by another image or identity', () => {
    const disks = 'datavolumes.cdi.kubevirt.io';
    const made = edited(DISK, { sourceRef: { name: 'ubuntu' } });
    const left = stamped(made, 7 * DAY_MS);
    const removed = change('person', 'rdpinstances.sublet.dev', DESKTOP, undefined);
    const back = (image: string) => change('person', 'rdpinstances.sublet.dev', undefined, edited(DESKTOP, { image }));
    const stamp = [change('kubevirt', disks, DISK, made), removed, change('operator/1', disks, made, left)];
    const swept = change('operator/1', disks, left, undefined, 7 * DAY_MS);
    expect(broken(...stamp, back('ubuntu'), swept)).toEqual([
      'I7 it was deleted although rdpinstances.sublet.dev t-bob/desk is there',
    ]);
    expect(broken(...stamp, back('debian'), swept)).toEqual([]);
    expect(broken(...stamp, swept)).toEqual([]);
    const home = stamped(HOME, 7 * DAY_MS);
    const tenant = (id: string) => change('person', 'tenants.sublet.dev', undefined, edited(TENANT, { id }));
    const gone = change('operator/1', 'namespaces', home, undefined, 7 * DAY_MS);
    const leavings = [
      change('person', 'tenants.sublet.dev', TENANT, undefined),
      change('operator/1', 'namespaces', HOME, home),
    ];
    expect(broken(...leavings, tenant('bob'), gone)).toEqual([
      'I7 it was deleted although tenants.sublet.dev sublet-root/bob is there',
    ]);
    expect(broken(...leavings, tenant('other'), gone)).toEqual([]);
  });

  it('a disk or its claim is made smaller, or over from another image', () => {
    const disks = 'datavolumes.cdi.kubevirt.io';
    const smaller = edited(DISK, { storage: { resources: { requests: { storage: '10Gi' } } } });
    expect(broken(change('operator/1', disks, DISK, smaller))).toEqual(['I7 the disk was made smaller']);
    expect(broken(change('operator/1', disks, smaller, DISK))).toEqual([]);
    const claim = (storage: string) => live({ metadata: CHILD, spec: { resources: { requests: { storage } } } });
    const shrunk = change('operator/1', 'persistentvolumeclaims', claim('20Gi'), claim('19Gi'));
    expect(broken(shrunk)).toEqual(['I7 the disk was made smaller']);
    const from = (name: string) => edited(DISK, { sourceRef: { name } });
    expect(broken(change('operator/1', disks, from('ubuntu'), from('debian')))).toEqual([
      'I7 the disk was made over from another image',
    ]);
  });

  it('what nobody removed is stamped, or with less than the grace that was stated', () => {
    const stamp = change('operator/1', machines, MACHINE, stamped(MACHINE, 7 * DAY_MS));
    expect(broken(stamp)[0]).toMatch(/^I7 it was stamped as removed, and rdpinstances.sublet.dev t-bob\/desk is there/);
    const removed = change('person', 'rdpinstances.sublet.dev', DESKTOP, undefined);
    expect(broken(removed, stamp)).toEqual([]);
    expect(broken(removed, change('operator/1', machines, MACHINE, stamped(MACHINE, DAY_MS)))[0]).toMatch(
      /^I7 its grace is 1 days, and 7 were stated/,
    );
  });

  it('a machine is stopped for no reason', () => {
    const halt = change('operator/1', machines, MACHINE, edited(MACHINE, { runStrategy: 'Halted' }), 3_600_000);
    expect(broken(halt)[0]).toMatch(/^I7 it was stopped and nobody asked for it/);
    const stopped = change('person', 'rdpinstances.sublet.dev', DESKTOP, edited(DESKTOP, { power: 'Stopped' }));
    expect(broken(stopped, halt)).toEqual([]);
    const suspended = change(
      'person',
      'tenants.sublet.dev',
      TENANT,
      edited(TENANT, { suspensions: [{ reason: 'Payment' }] }),
    );
    expect(broken(suspended, halt)).toEqual([]);
  });

  it('a machine is stopped for what was carried out, or for somebody else', () => {
    const halt = change('operator/1', machines, MACHINE, edited(MACHINE, { runStrategy: 'Halted' }), 3_600_000);
    const born = (afterMs: number) => {
      const metadata = { ...GUEST.metadata, creationTimestamp: time(afterMs) };
      return change('kubevirt', 'virtualmachineinstances.kubevirt.io', GUEST, live({ ...GUEST, metadata }));
    };
    const ended = change('operator/1', 'rdpinstances.sublet.dev', DESKTOP, {
      ...edited(DESKTOP, { restartedAt: time(60_000) }),
      status: { epoch: { vmiUID: 'guest-1', endedAt: time(3_500_000) } },
    });
    const asked = { ...ended, actor: 'person' };
    expect(broken(born(0), asked, halt)).toEqual([]);
    expect(broken(born(120_000), asked, halt)).toEqual([
      'I7 it was stopped and nobody asked for it: not its power, no restart, no suspension, no removal',
    ]);
    const future = edited(DESKTOP, { restartedAt: time(DAY_MS) });
    expect(broken(change('person', 'rdpinstances.sublet.dev', DESKTOP, future), halt)).toHaveLength(1);
    const eve = edited(TENANT, { id: 'eve', suspensions: [{ reason: 'Payment' }] }, { name: 'eve' });
    const elsewhere = change('person', 'tenants.sublet.dev', undefined, eve, 3_590_000);
    expect(broken(elsewhere, halt)).toHaveLength(1);
    const held = (tenant: string) =>
      change('person', 'tenants.sublet.dev', TENANT, edited(TENANT, { holds: [{ tenant, reason: 'Abuse' }] }));
    expect(broken(held('eve'), halt)).toHaveLength(1);
  });

  it('a machine far below is stopped by a hold that names whoever is above it', () => {
    const below = live({ kind: 'Tenant', metadata: { name: 'eve', namespace: 't-bob' }, spec: { id: 'eve' } });
    const annotations = {
      'sublet.dev/tenant-id': 'eve-1',
      'sublet.dev/parent-id': 'bob-1',
      'sublet.dev/path': 'bob--eve',
    };
    const home = live({ kind: 'Namespace', metadata: { name: 't-bob--eve', annotations } });
    const place = { namespace: 't-bob--eve' };
    const labels = { ...LABELS, 'sublet.dev/tenant-id': 'eve-1' };
    const desk = live({ ...DESKTOP, metadata: { ...DESKTOP.metadata, ...place } });
    const machine = live({ ...MACHINE, metadata: { ...CHILD, ...place, labels } });
    const halt = change('operator/1', machines, machine, edited(machine, { runStrategy: 'Halted' }), 3_600_000);
    const halts = (tenant: string) =>
      broken(
        change('person', 'tenants.sublet.dev', TENANT, edited(TENANT, { holds: [{ tenant, reason: 'Abuse' }] })),
        change('person', 'tenants.sublet.dev', undefined, below),
        change('operator/1', 'namespaces', undefined, home),
        change('person', 'rdpinstances.sublet.dev', undefined, desk),
        halt,
      ).filter((text) => text.startsWith('I7'));
    expect(halts('eve')).toEqual([]);
    expect(halts('eve--other')).toHaveLength(1);
    expect(halts('ev')).toHaveLength(1);
  });
});

describe('I7 of what Git takes away', () => {
  const DESKS = ['desk', 'b', 'c', 'd', 'e'].map((name) => `t-bob/RDPInstance/${name}`);
  const [DESK = ''] = DESKS;
  const OTHERS = ['a', 'b', 'c', 'd'].map((name) => `t-eve/RDPInstance/${name}`);
  const pruned = (afterMs = 0) => change('flux', 'rdpinstances.sublet.dev', DESKTOP, undefined, afterMs);
  const push = (revision: string, declared: readonly string[], confirmed = false): TrailEvent => ({
    type: 'repository',
    atMs: START,
    revision,
    declared: new Set(declared),
    confirmed,
  });
  const artifact = (folder: string, revision: string): Live =>
    live({
      kind: 'ExternalArtifact',
      metadata: { name: folder, namespace: 'sublet-fleet' },
      status: { artifact: { metadata: { 'org.opencontainers.image.revision': `main@sha1:${revision}` } } },
    });
  const publish = (revision: string, folder = 't-bob', afterMs = 0, before?: string): Change =>
    change(
      'source',
      'externalartifacts.source.toolkit.fluxcd.io',
      before === undefined ? undefined : artifact(folder, before),
      artifact(folder, revision),
      afterMs,
    );

  it('Flux deletes what is declared by what is published', () => {
    expect(broken(push('1', [DESK]), publish('1'), pruned())).toEqual([
      'I7 Flux deleted it, and what is published of its folder declares it',
    ]);
    expect(broken(push('1', [DESK]), publish('1'), push('2', []), pruned())[0]).toMatch(/declares it/);
    const other = push('2', ['t-bob/RDPInstance/b']);
    expect(broken(push('1', [DESK]), publish('1'), other, publish('2'), pruned())).toEqual([]);
  });

  it('but Flux may be at work with what was published a moment ago', () => {
    const back = [push('1', ['t-bob/RDPInstance/b']), publish('1'), push('2', [DESK]), publish('2', 't-bob', 1_000)];
    expect(broken(...back, pruned(60_000))).toEqual([]);
    expect(broken(...back, pruned(600_000))[0]).toMatch(/declares it/);
  });

  it('a landslide is published, in one folder or in several', () => {
    const all = [push('1', [...DESKS, ...OTHERS]), publish('1'), publish('1', 't-eve')];
    expect(broken(...all, push('2', [DESK, ...OTHERS]), publish('2'))[0]).toMatch(
      /^I7 it is published by a revision that takes away 4 of 9 resources and 0 of 2 folders, unconfirmed/,
    );
    const left = [...DESKS.slice(2), ...OTHERS.slice(2)];
    const both = push('2', left);
    expect(broken(...all, both, publish('2'), publish('2', 't-eve')).length).toBe(1);
    expect(broken(...all, both, publish('2'))).toEqual([]);
    expect(broken(...all, both, push('2', left, true), publish('2'), publish('2', 't-eve'))).toEqual([]);
  });

  it('all is taken away, be it not more than a few', () => {
    const few = [push('1', [DESK]), publish('1'), push('2', [])];
    expect(broken(...few, publish('2'))[0]).toMatch(/takes away 1 of 1 resources and 1 of 1 folders/);
  });

  it('counts from what was published, and not from a revision that was held or never fetched', () => {
    const all = [push('1', DESKS), publish('1')];
    // The second is held; the third says the same and one thing more.
    const next = [push('2', [DESK]), push('3', [DESK, 't-bob/RDPInstance/new'])];
    expect(broken(...all, ...next, publish('3'))[0]).toMatch(/takes away 4 of 5/);
    // What was never published was never there.
    const more = push('2', [...DESKS, ...OTHERS]);
    expect(broken(...all, more, push('3', DESKS.slice(1)), publish('3'))).toEqual([]);
  });

  it('small steps are each for themselves: the breaker counts those', () => {
    const steps = [push('1', [...DESKS, ...OTHERS]), publish('1'), publish('1', 't-eve')];
    const first = [push('2', [...DESKS.slice(3), ...OTHERS]), publish('2')];
    const second = [push('3', [...DESKS.slice(3), ...OTHERS.slice(3)]), publish('3', 't-eve')];
    expect(broken(...steps, ...first, ...second)).toEqual([]);
  });

  it('a branch that goes back to a confirmed commit is judged anew', () => {
    const confirmed = [push('1', DESKS), publish('1'), push('2', [DESK]), push('2', [DESK], true), publish('2')];
    const grown = [...confirmed, push('3', [...DESKS, ...OTHERS]), publish('3'), publish('3', 't-eve')];
    expect(broken(...confirmed)).toEqual([]);
    expect(broken(...grown, push('2', [DESK]), publish('2'))[0]).toMatch(/takes away 4 of 9/);
  });
});

describe('I8 truthful status', () => {
  const condition = (status: string, rest: object = {}) => ({
    type: 'Ready',
    status,
    reason: 'Succeeded',
    lastTransitionTime: time(0),
    observedGeneration: 1,
    ...rest,
  });
  const ready = (epoch: object, rest: object = {}): Live =>
    live({
      ...DESKTOP,
      status: { observedGeneration: 1, address: '10.0.0.1', epoch, conditions: [condition('True')], ...rest },
    });
  const report = (after: Live, before: Live = DESKTOP, afterMs = 0) =>
    change('operator/1', 'rdpinstances.sublet.dev', before, after, afterMs);
  const epoch = { vmiUID: 'guest-1', startedAt: time(0), firstHandshakeAt: time(1_000) };
  const handshake = { type: 'handshake', atMs: START + 1_000, instanceUid: 'guest-1' } as const;

  it('Ready or a first handshake before the guest of this epoch answered', () => {
    expect(broken(handshake, report(ready(epoch)))).toEqual([]);
    expect(broken(report(ready(epoch)))).toEqual([
      `I8 it claims a handshake at ${time(1_000)} that its guest had not completed`,
      'I8 it became Ready and the guest of this power epoch never completed a handshake',
    ]);
    expect(broken({ ...handshake, instanceUid: 'guest-0' }, report(ready(epoch))).length).toBe(2);
    expect(broken(handshake, report(ready({ vmiUID: 'guest-1' })))[0]).toMatch(/without a handshake/);
    expect(broken(handshake, report(ready(epoch, { address: undefined })))[0]).toMatch(/without an address/);
    const later = { ...handshake, atMs: START + 60_000 };
    expect(broken(later, report(ready(epoch), DESKTOP, 60_000))[0]).toMatch(/had not completed/);
    const ahead = { ...epoch, firstHandshakeAt: time(DAY_MS) };
    expect(broken(handshake, report(ready(ahead), DESKTOP, 2_000))[0]).toMatch(/had not completed/);
    // Nor at a time at which it completed none, though it did before.
    const between = { ...epoch, firstHandshakeAt: time(30_000) };
    expect(broken(handshake, later, report(ready(between), DESKTOP, 60_000))[0]).toMatch(/had not completed/);
    const second = { ...epoch, firstHandshakeAt: time(59_500) };
    expect(broken(handshake, later, report(ready(second), DESKTOP, 60_000))).toEqual([]);
  });

  it('Ready that stays although another power epoch began', () => {
    const next = { vmiUID: 'guest-2', startedAt: time(5_000) };
    expect(broken(handshake, report(ready(epoch)), report(ready(next), ready(epoch), 6_000))).toEqual([
      'I8 it became Ready in a power epoch without a handshake',
    ]);
  });

  it('a power epoch that ends before it answered, or in times to come', () => {
    const ended = (endedAt: string) => report(ready({ ...epoch, endedAt }, { conditions: [] }), ready(epoch), 60_000);
    expect(broken(handshake, ended(time(30_000)))).toEqual([]);
    const finish = (afterMs: number, seenAfterMs: number): TrailEvent =>
      change(
        'kubevirt',
        'virtualmachineinstances.kubevirt.io',
        GUEST,
        live({
          ...GUEST,
          status: {
            phase: 'Succeeded',
            phaseTransitionTimestamps: [{ phase: 'Succeeded', phaseTransitionTimestamp: time(afterMs) }],
          },
        }),
        seenAfterMs,
      );
    const long = (afterMs: number) =>
      report(ready({ ...epoch, endedAt: time(afterMs) }, { conditions: [] }), ready(epoch), DAY_MS);
    // What a guest says of its end is what is stated, however late; that it is over by now is said only while it could not be known.
    expect(broken(handshake, finish(30_000, 31_000), long(30_000))).toEqual([]);
    expect(broken(handshake, finish(30_000, 31_000), long(DAY_MS - 1_000))).toHaveLength(1);
    expect(broken(handshake, finish(DAY_MS - 9_000, DAY_MS - 8_000), long(DAY_MS - 1_000))).toEqual([]);
    expect(broken(handshake, long(30_000))).toHaveLength(1);
    expect(broken(handshake, ended(time(DAY_MS)))).toEqual([
      `I8 it says that its power epoch ended at ${time(DAY_MS)}`,
    ]);
    expect(broken(handshake, ended(time(-DAY_MS)))).toHaveLength(1);
  });

  it('a Tenant that is Ready without its namespace', () => {
    const status = { namespace: 't-eve', path: 'eve', observedGeneration: 1, conditions: [condition('True')] };
    expect(broken(change('operator/1', 'tenants.sublet.dev', TENANT, live({ ...TENANT, status })))[0]).toMatch(
      /namespace t-eve is not there as its own/,
    );
    const own = { ...status, namespace: 't-bob', path: 'bob' };
    expect(broken(change('operator/1', 'tenants.sublet.dev', TENANT, live({ ...TENANT, status: own })))).toEqual([]);
  });

  it('a generation that is not there yet', () => {
    expect(
      broken(
        report(
          live({
            ...DESKTOP,
            status: { observedGeneration: 2, conditions: [condition('False', { observedGeneration: 3 })] },
          }),
        ),
      ),
    ).toEqual([
      'I8 status.observedGeneration says that generation 2 was seen, and there is only 1',
      'I8 condition Ready says that generation 3 was seen, and there is only 1',
    ]);
  });

  it('a transition time that changes without its status, or stays when that changes', () => {
    const old = live({ ...DESKTOP, status: { conditions: [condition('False')] } });
    const moved = live({
      ...DESKTOP,
      status: { conditions: [condition('False', { lastTransitionTime: time(9_000) })] },
    });
    expect(broken(report(moved, old))[0]).toMatch(/stayed False and got another transition time/);
    const kept = live({ ...DESKTOP, status: { conditions: [condition('Unknown')] } });
    expect(broken(report(kept, old, 30_000))[0]).toMatch(/became Unknown and kept its transition time/);
    const dated = (afterMs: number) =>
      live({ ...DESKTOP, status: { conditions: [condition('Unknown', { lastTransitionTime: time(afterMs) })] } });
    expect(broken(report(dated(DAY_MS), old, 30_000))[0]).toMatch(/is said to have done so at/);
    expect(broken(report(dated(-DAY_MS), old, 30_000))[0]).toMatch(/is said to have done so at/);
    expect(broken(report(dated(29_000), old, 30_000))).toEqual([]);
  });
});
