import { type Core, newUid, nowOf } from './core.ts';
import type { UserInfo, Verb } from './kinds.ts';
import type { JsonObject } from './schema/json.ts';

/** Resources that can only be created and are kept nowhere: questions about who is asking. */
export const REVIEWS = [
  review('authentication.k8s.io', 'selfsubjectreviews', 'SelfSubjectReview'),
  review('authorization.k8s.io', 'selfsubjectaccessreviews', 'SelfSubjectAccessReview'),
] as const;

function review(group: string, name: string, kind: string) {
  const verbs: readonly Verb[] = ['create'];
  const nothing: readonly never[] = [];
  const lists = { shortNames: nothing, categories: nothing, subresources: nothing };
  return {
    group,
    version: 'v1',
    name,
    singular: kind.toLowerCase(),
    kind,
    namespaced: false,
    verbs,
    custom: false,
    isStored: false,
    storageGroup: group,
    storageVersion: 'v1',
    ...lists,
  };
}

/** The answer to a review. Everybody may do everything: this server has no authorization. */
export function answerReview(core: Core, kind: string, asked: JsonObject, user: UserInfo): JsonObject {
  const { username, groups, uid } = user;
  if (kind === 'SelfSubjectAccessReview') {
    return { ...asked, kind, apiVersion: 'authorization.k8s.io/v1', metadata: {}, status: { allowed: true } };
  }
  const userInfo = { username, groups, ...(uid === undefined ? {} : { uid }) };
  const metadata = { uid: newUid(core.random), creationTimestamp: nowOf(core) };
  return { kind, apiVersion: 'authentication.k8s.io/v1', metadata, status: { userInfo } };
}
