import type { Account } from './account.ts';

/**
 * User-data for cloudbase-init on a prepared Windows image: the one account as an administrator, and RDP on with network
 * level authentication. The commands hold no value of the customer's.
 */
export function renderCloudbaseUserData(account: Account): string {
  return `#cloud-config\n${JSON.stringify(buildCloudConfig(account), null, 2)}\n`;
}

function buildCloudConfig({ hostname, username, password }: Account) {
  return {
    set_hostname: hostname,
    users: [
      {
        name: username,
        gecos: username,
        primary_group: 'Administrators',
        groups: ['Remote Desktop Users'],
        passwd: password,
        inactive: false,
      },
    ],
    runcmd: [
      String.raw`reg add "HKLM\SYSTEM\CurrentControlSet\Control\Terminal Server" /v fDenyTSConnections /t REG_DWORD /d 0 /f`,
      String.raw`reg add "HKLM\SYSTEM\CurrentControlSet\Control\Terminal Server\WinStations\RDP-Tcp" /v UserAuthentication /t REG_DWORD /d 1 /f`,
      `powershell -NoProfile -Command "Enable-NetFirewallRule -Group '@FirewallAPI.dll,-28752'"`,
    ],
  } as const;
}
