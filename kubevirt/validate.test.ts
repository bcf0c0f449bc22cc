import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { DataVolume, VirtualMachine } from './index.ts';
import { loadUpstreamValidators } from './validate.ts';

const folder = process.env.SUBLET_UPSTREAM_SCHEMAS;

const vm = {
  apiVersion: 'kubevirt.io/v1',
  kind: 'VirtualMachine',
  metadata: { name: 'rdp-anna-desk', namespace: 't-acme--bob' },
  spec: {
    runStrategy: 'RerunOnFailure',
    template: {
      spec: {
        domain: {
          cpu: { cores: 4 },
          memory: { guest: '8Gi' },
          devices: {
            disks: [{ name: 'root', disk: { bus: 'virtio' } }],
            interfaces: [{ name: 'default', masquerade: {} }],
          },
        },
        networks: [{ name: 'default', pod: {} }],
        volumes: [{ name: 'root', dataVolume: { name: 'rdp-anna-desk' } }],
      },
    },
  },
} satisfies VirtualMachine;

const dataVolume = {
  apiVersion: 'cdi.kubevirt.io/v1beta1',
  kind: 'DataVolume',
  metadata: { name: 'rdp-anna-desk', namespace: 't-acme--bob' },
  spec: {
    sourceRef: { kind: 'DataSource', name: 'ubuntu-24', namespace: 'sublet-images' },
    storage: { storageClassName: 'fast', resources: { requests: { storage: '100Gi' } } },
  },
} satisfies DataVolume;

describe.skipIf(folder === undefined)(
  'validators from the upstream description (SUBLET_UPSTREAM_SCHEMAS)',
  async () => {
    const validators = folder === undefined ? undefined : await loadUpstreamValidators(folder);
    const judge = (object: unknown) => validators?.validateVirtualMachine(object);

    it('accept a VirtualMachine and a DataVolume', () => {
      expect(judge(vm)).toEqual([]);
      expect(validators?.validateDataVolume(dataVolume)).toEqual([]);
    });

    it('name an unknown field at any depth', () => {
      const { domain } = vm.spec.template.spec;
      const template = { spec: { ...vm.spec.template.spec, domain: { ...domain, cpu: { cores: 4, vcpus: 4 } } } };
      expect(judge({ ...vm, spec: { ...vm.spec, template } })).toEqual([
        { path: 'spec.template.spec.domain.cpu', message: 'unknown field "vcpus"' },
      ]);
    });

    it('name an unknown field in an object that has no fields', () => {
      const interfaces = [{ name: 'default', masquerade: { bridge: 'br0' } }];
      const devices = { ...vm.spec.template.spec.domain.devices, interfaces };
      const template = { spec: { ...vm.spec.template.spec, domain: { devices } } };
      expect(judge({ ...vm, spec: { template } })).toEqual([
        { path: 'spec.template.spec.domain.devices.interfaces.0.masquerade', message: 'unknown field "bridge"' },
      ]);
    });

    it('refuse a wrong type, a missing field, another kind', () => {
      expect(judge({ ...vm, spec: { ...vm.spec, runStrategy: 1 } })).toEqual([
        { path: 'spec.runStrategy', message: 'must be string' },
      ]);
      expect(judge({ ...vm, spec: { runStrategy: 'Always' } })).toEqual([
        { path: 'spec', message: "must have required property 'template'" },
      ]);
      expect(judge({ ...vm, kind: 'DataVolume' })).toEqual([{ path: 'kind', message: 'must be equal to constant' }]);
      expect(judge(null)).not.toEqual([]);
    });

    it('refuse a DataVolume whose spec has an unknown field', () => {
      expect(validators?.validateDataVolume({ ...dataVolume, spec: { ...dataVolume.spec, size: '1Gi' } })).toEqual([
        { path: 'spec', message: 'unknown field "size"' },
      ]);
    });
  },
);

describe('loadUpstreamValidators', () => {
  it('rejects a folder without the description, and a file that is something else', async () => {
    const empty = await mkdtemp(path.join(tmpdir(), 'upstream-'));
    try {
      await expect(loadUpstreamValidators(empty)).rejects.toThrow('ENOENT');
      await writeFile(path.join(empty, 'kubevirt-openapi-v2.json'), '[]');
      await expect(loadUpstreamValidators(empty)).rejects.toThrow('no definitions');
    } finally {
      await rm(empty, { recursive: true });
    }
  });
});
