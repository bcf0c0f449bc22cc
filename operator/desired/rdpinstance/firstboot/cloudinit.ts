import type { Account } from './account.ts';

/**
 * cloud-init user-data for a prepared Linux image: the one account, and xrdp started. The image's default account is not
 * made, so that nobody else can log in. JSON is YAML, so no value can break out of its place.
 */
export function renderCloudInitUserData(account: Account): string {
  return `#cloud-config\n${JSON.stringify(buildCloudConfig(account), null, 2)}\n`;
}

function buildCloudConfig({ hostname, username, password }: Account) {
  return {
    hostname,
    manage_etc_hosts: true,
    users: [
      {
        name: username,
        gecos: username,
        shell: '/bin/bash',
        lock_passwd: false,
        sudo: 'ALL=(ALL:ALL) ALL',
      },
    ],
    chpasswd: { expire: false, users: [{ name: username, password, type: 'text' }] },
    disable_root: true,
    ssh_pwauth: false,
    growpart: { mode: 'auto', devices: ['/'] },
    runcmd: [['systemctl', 'enable', '--now', 'xrdp.service']],
  } as const;
}
