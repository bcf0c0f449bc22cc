import type { DesktopInput } from './build.ts';
import { renderCloudbaseUserData } from './firstboot/cloudbase.ts';
import { renderCloudInitUserData } from './firstboot/cloudinit.ts';
import { renderUnattend } from './firstboot/unattend.ts';
import { buildMetadata, type RenderedObject } from './metadata.ts';

export type SecretInput = Pick<DesktopInput, 'namespace' | 'name' | 'tenantId' | 'username' | 'image'>;

/**
 * The credentials and what first boot needs to set them. For creation only: once it exists, the password is never rendered
 * again, and a later change of `username` or image does not reach it.
 */
export function buildSecret(input: SecretInput, password: string): RenderedObject {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: buildMetadata(input),
    type: 'Opaque',
    stringData: { username: input.username, password, ...buildFirstBootData(input, password) },
  };
}

/** By the key under which KubeVirt looks for it. */
function buildFirstBootData(input: SecretInput, password: string): Readonly<Record<string, string>> {
  const account = { hostname: input.name, username: input.username, password };
  switch (input.image.firstBoot) {
    case 'CloudInit':
      return { userdata: renderCloudInitUserData(account) };
    case 'CloudbaseInit':
      return { userdata: renderCloudbaseUserData(account) };
    case 'Sysprep':
      return { 'unattend.xml': renderUnattend(account) };
  }
}
