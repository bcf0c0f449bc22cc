import { NOT_INTERNET_V4, NOT_INTERNET_V6 } from '../../../model/address.ts';
import type { Manifest } from '../manifest.ts';
import type { TenantInput, TenantSettings } from './build.ts';

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
