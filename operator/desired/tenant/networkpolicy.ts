import type { Manifest } from '../manifest.ts';
import type { TenantInput, TenantSettings } from './build.ts';

/** Private, shared, link-local (metadata services), loopback, benchmark and reserved ranges: RFC 6890 and IANA's registry. */
const NOT_INTERNET_V4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '224.0.0.0/4',
  '240.0.0.0/4',
] as const;
/** The same for IPv6, and what embeds an IPv4 address that could be private: NAT64 (RFC 6052, RFC 8215) and 6to4 (RFC 3056). */
const NOT_INTERNET_V6 = [
  '::/128',
  '::1/128',
  '64:ff9b::/96',
  '64:ff9b:1::/48',
  '2002::/16',
  'fc00::/7',
  'fe80::/10',
  'ff00::/8',
] as const;

type PolicySpec = Readonly<Record<string, unknown>>;

/**
 * Deny everything, then allow DNS, the tenant's own namespace, and the internet without private and metadata ranges.
 * Ingress from outside comes only by the policy of a single desktop.
 */
export function buildNetworkPolicies(
  input: TenantInput,
  settings: TenantSettings,
  labels: Readonly<Record<string, string>>,
): readonly Manifest[] {
  const policy = (name: string, spec: PolicySpec) => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name, namespace: input.namespace, labels },
    spec: { podSelector: {}, ...spec },
  });
  return [
    policy('sublet-deny-all', { policyTypes: ['Ingress', 'Egress'] }),
    policy('sublet-allow-dns', {
      policyTypes: ['Egress'],
      egress: [
        {
          to: [
            {
              namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': settings.dns.namespace } },
              podSelector: { matchLabels: settings.dns.podLabels },
            },
          ],
          ports: [
            { protocol: 'UDP', port: 53 },
            { protocol: 'TCP', port: 53 },
          ],
        },
      ],
    }),
    policy('sublet-allow-namespace', {
      policyTypes: ['Ingress', 'Egress'],
      ingress: [{ from: [{ podSelector: {} }] }],
      egress: [{ to: [{ podSelector: {} }] }],
    }),
    policy('sublet-allow-internet', {
      policyTypes: ['Egress'],
      egress: [
        {
          to: [
            { ipBlock: { cidr: '0.0.0.0/0', except: NOT_INTERNET_V4 } },
            { ipBlock: { cidr: '::/0', except: NOT_INTERNET_V6 } },
          ],
        },
      ],
    }),
  ];
}
