import { GROUP } from '../../model/group.ts';
import type { Rule } from './facts.ts';

/** Prefixes of what steers Flux and kustomize between Git and the cluster. */
const FOREIGN_PREFIXES = [
  'kustomize.toolkit.fluxcd.io/',
  'kustomize.config.k8s.io/',
  'config.kubernetes.io/',
  'internal.config.kubernetes.io/',
];

/** Labels and annotations of our group, and those of Flux, are the software's to write. */
export const checkReservedMetadata: Rule = ({ metadata: { labels = {}, annotations = {} } }, { isDeclared }) => {
  if (isDeclared !== true) return [];
  return Object.entries({ labels, annotations }).flatMap(([field, map]) =>
    Object.keys(map)
      .filter((key) => key.startsWith(`${GROUP}/`) || FOREIGN_PREFIXES.some((prefix) => key.startsWith(prefix)))
      .map((key) => ({
        rule: 'ReservedMetadata',
        path: ['metadata', field, key],
        message: `${key} is for the software to write; remove it`,
      })),
  );
};
