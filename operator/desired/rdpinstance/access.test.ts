import { expect, test } from 'vitest';
import { buildDesktop, type DesktopInput } from './build.ts';

const input: DesktopInput = {
  namespace: 't-bob',
  name: 'anna-desk',
  tenantId: 'bob-1',
  username: 'anna',
  image: { name: 'ubuntu-24', namespace: 'sublet-images', os: 'Linux', firstBoot: 'CloudInit' },
  size: { vcpu: 2, memoryBytes: 4n << 30n, storageBytes: 50n << 30n, gpus: undefined },
  disk: { storageBytes: 50n << 30n, storageClassName: undefined },
  access: { type: 'LoadBalancer', allow: [] },
  readers: [],
  power: { runStrategy: 'RerunOnFailure', endedEpoch: undefined, guestDownAt: undefined },
};

/** Kubernetes reads an empty list of sources as everybody; the schema refuses one, and what is built does not rely on that. */
test('an empty list of sources admits nobody but the probe', () => {
  const { stateless } = buildDesktop(input, { systemNamespace: 'sublet-system', vcpusPerCpu: 4 });
  const service = stateless.find(({ kind }) => kind === 'Service');
  const policy = stateless.find(({ kind }) => kind === 'NetworkPolicy');
  expect(service).toMatchObject({ spec: { loadBalancerSourceRanges: ['0.0.0.0/32'] } });
  expect(policy).toMatchObject({
    spec: {
      ingress: [
        {
          from: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'sublet-system' } } }],
          ports: [{ protocol: 'TCP', port: 3389 }],
        },
      ],
    },
  });
});

test('the API may read the one Secret of a desktop where an API runs, whoever the members are', () => {
  const settings = { systemNamespace: 'sublet-system', vcpusPerCpu: 4 };
  const subjectsOf = (one: DesktopInput, apiServiceAccount?: string) => {
    const { stateless } = buildDesktop(one, { ...settings, apiServiceAccount });
    const binding = stateless.find(({ kind }) => kind === 'RoleBinding');
    return binding === undefined ? undefined : 'subjects' in binding && binding.subjects;
  };
  const api = { kind: 'ServiceAccount', name: 'sublet-api', namespace: 'sublet-system' };
  const anna = { kind: 'User', name: 'oidc:anna' } as const;
  expect(subjectsOf(input)).toBeUndefined();
  expect(subjectsOf(input, 'sublet-api')).toEqual([api]);
  expect(subjectsOf({ ...input, readers: [anna] }, 'sublet-api')).toEqual([
    { apiGroup: 'rbac.authorization.k8s.io', ...anna },
    api,
  ]);
});
