import type { KubeConfig } from '@kubernetes/client-node';
import type { GitRemote } from '../../simulator/git/server.ts';
import type { AuditEvent } from './audit.ts';
import type { Invocation } from './binaries.ts';
import type { Dump, DumpResource } from './dump.ts';
import type { Rest } from './rest.ts';

/** What another process needs to use a cluster that somebody else started; plain JSON. */
export type ClusterInfo = {
  /** Folder of the cluster's files, logs among them; absent for a cluster that was only lent. */
  readonly folder?: string;
  readonly kubeconfigPath: string;
  readonly auditLog?: string;
  /** etcd's client URL, for benchmarks that clear what a run left behind. */
  readonly etcdUrl?: string;
  readonly flux: boolean;
  readonly git?: { readonly url: string; readonly folder: string };
  readonly kubectl: Invocation;
};

/** How a kubectl command ended. */
export type KubectlResult = { readonly stdout: string; readonly stderr: string; readonly code: number };

/** Standard input, and the user to impersonate. */
export type KubectlOptions = { readonly input?: string; readonly as?: string; readonly asGroups?: readonly string[] };

/** A real Kubernetes control plane, as tests see it. */
export type Cluster = {
  readonly url: string;
  /** Whether Flux's two controllers run in it. */
  readonly flux: boolean;
  readonly kubeconfigPath: string;
  /** The administrator's. */
  readonly kubeConfig: KubeConfig;
  /** Raw calls as the administrator, not through the code under test. */
  readonly admin: Rest;
  /** File to which the API server writes its audit log; throws where there is none (a lent cluster). */
  readonly auditLog: string;
  /** Finished requests from the audit log, from a byte offset on. */
  auditEvents(fromByte?: number): Promise<{ readonly events: readonly AuditEvent[]; readonly nextByte: number }>;
  /** Runs kubectl as the administrator, or as another by impersonation; never throws for a non-zero code. */
  kubectl(args: readonly string[], options?: KubectlOptions): Promise<KubectlResult>;
  /** A KubeConfig with a token of that ServiceAccount, which must exist. */
  serviceAccountKubeConfig(namespace: string, name: string): Promise<KubeConfig>;
  /** A KubeConfig with which the administrator acts as that user. */
  userKubeConfig(user: string): KubeConfig;
  /** Makes an empty bare repository, which Flux and this process reach under the same URL. */
  gitRemote(name: string): Promise<GitRemote>;
  /** Applies YAML text, a file or a folder (by kustomize where it has a kustomization.yaml); waits for its CRDs. */
  installManifests(yamlOrPath: string): Promise<void>;
  /** Every object of those kinds, normalised so that two equal end states give equal dumps. */
  dump(resources: readonly DumpResource[]): Promise<Dump>;
  /** The end of a program's output (`kube-apiserver`, `kustomize-controller`, ...), for error messages. */
  logTail(program: string): Promise<string>;
  stop(): Promise<void>;
};
