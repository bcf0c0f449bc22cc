import {
  ANY_SCALAR,
  BOOLEAN,
  buildList,
  buildMapOf,
  buildStruct,
  NUMERIC,
  STRING,
  type TypeNode,
  UNTYPED,
} from './typenode.ts';

const OWNER_REFERENCE = buildStruct(
  { apiVersion: STRING, blockOwnerDeletion: BOOLEAN, controller: BOOLEAN, kind: STRING, name: STRING, uid: STRING },
  true,
);

const MANAGED_FIELDS_ENTRY = buildStruct({
  apiVersion: STRING,
  fieldsType: STRING,
  fieldsV1: buildMapOf(UNTYPED),
  manager: STRING,
  operation: STRING,
  subresource: STRING,
  time: ANY_SCALAR,
});

/** `metav1.ObjectMeta`, which every object has and every embedded one. */
export const OBJECT_META: TypeNode = buildStruct({
  annotations: buildMapOf(STRING),
  creationTimestamp: ANY_SCALAR,
  deletionGracePeriodSeconds: NUMERIC,
  deletionTimestamp: ANY_SCALAR,
  finalizers: buildList(STRING, 'set'),
  generateName: STRING,
  generation: NUMERIC,
  labels: buildMapOf(STRING),
  managedFields: buildList(MANAGED_FIELDS_ENTRY, 'atomic'),
  name: STRING,
  namespace: STRING,
  ownerReferences: buildList(OWNER_REFERENCE, ['uid']),
  resourceVersion: STRING,
  selfLink: STRING,
  uid: STRING,
});
