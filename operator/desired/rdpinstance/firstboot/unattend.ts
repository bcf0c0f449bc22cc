import type { Account } from './account.ts';
import { renderXml, type XmlElement } from './xml.ts';

/**
 * The answer file of a generalised Windows image: computer name and RDP in the specialize pass; the one account and no
 * questions in oobeSystem. Element order is that of Windows' Unattend reference.
 */
export function renderUnattend(account: Account): string {
  return renderXml(buildUnattend(account));
}

function buildUnattend(account: Account): XmlElement {
  const specialize = [
    component('Microsoft-Windows-Shell-Setup', [text('ComputerName', account.hostname)]),
    component('Microsoft-Windows-TerminalServices-LocalSessionManager', [text('fDenyTSConnections', 'false')]),
    component('Microsoft-Windows-TerminalServices-RDP-WinStationExtensions', [text('UserAuthentication', '1')]),
    component('Networking-MPSSVC-Svc', [
      element('FirewallGroups', [
        element(
          'FirewallGroup',
          [text('Active', 'true'), text('Group', '@FirewallAPI.dll,-28752'), text('Profile', 'all')],
          { 'wcm:action': 'add', 'wcm:keyValue': 'RemoteDesktop' },
        ),
      ]),
    ]),
  ];
  const oobe = [component('Microsoft-Windows-Shell-Setup', [buildOobe(), buildUserAccounts(account)])];
  return element(
    'unattend',
    [element('settings', specialize, { pass: 'specialize' }), element('settings', oobe, { pass: 'oobeSystem' })],
    {
      xmlns: 'urn:schemas-microsoft-com:unattend',
      'xmlns:wcm': 'http://schemas.microsoft.com/WMIConfig/2002/State',
    },
  );
}

function buildOobe(): XmlElement {
  return element('OOBE', [
    text('HideEULAPage', 'true'),
    text('HideLocalAccountScreen', 'true'),
    text('HideOEMRegistrationScreen', 'true'),
    text('HideOnlineAccountScreens', 'true'),
    text('HideWirelessSetupInOOBE', 'true'),
    text('ProtectYourPC', '3'),
  ]);
}

function buildUserAccounts({ username, password }: Account): XmlElement {
  return element('UserAccounts', [
    element('LocalAccounts', [
      element(
        'LocalAccount',
        [
          element('Password', [text('Value', password), text('PlainText', 'true')]),
          text('DisplayName', username),
          text('Group', 'Administrators'),
          text('Name', username),
        ],
        { 'wcm:action': 'add' },
      ),
    ]),
  ]);
}

function component(name: string, children: readonly XmlElement[]): XmlElement {
  return element('component', children, {
    name,
    processorArchitecture: 'amd64',
    publicKeyToken: '31bf3856ad364e35',
    language: 'neutral',
    versionScope: 'nonSxS',
  });
}

function element(
  name: string,
  children: readonly XmlElement[],
  attributes?: Readonly<Record<string, string>>,
): XmlElement {
  return attributes === undefined ? { name, children } : { name, children, attributes };
}

function text(name: string, value: string): XmlElement {
  return { name, children: value };
}
