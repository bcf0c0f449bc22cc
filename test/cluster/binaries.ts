import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { buildOnce, goEnvironment, runGo } from './gobuild.ts';

/** The programs of a control plane; `etcd` to `kubectl` come in one binary that picks by its first argument. */
export type ControlPlaneProgram = 'etcd' | 'kube-apiserver' | 'kube-controller-manager' | 'kube-scheduler' | 'kubectl';

/** How to start a program: the file and the arguments that come before the program's own. */
export type Invocation = { readonly command: string; readonly args: readonly string[] };

/** Everything that a started cluster executes, as files on this machine. */
export type Binaries = {
  readonly program: (name: ControlPlaneProgram) => Invocation;
  readonly flux?: FluxBinaries;
};

/** Flux's two controllers and the folders that hold their CustomResourceDefinitions as YAML. */
export type FluxBinaries = {
  readonly sourceController: string;
  readonly kustomizeController: string;
  readonly crdFolders: readonly string[];
};

/** Takes one line of progress. */
export type LogLine = (message: string) => void;

/** No control plane can be had on this machine, and why; tests that need one are skipped with this message. */
export class UnavailableError extends Error {
  override readonly name = 'UnavailableError';
}

type Tool = {
  readonly name: string;
  /** Import path of the main package, as seen from the tool's folder. */
  readonly target: string;
  readonly ldflags: string;
  readonly tags?: string;
  /** Module whose `config/crd/bases` is kept beside the binary. */
  readonly crdModule?: string;
  /** Module of which folders are kept beside the binary, which reads them when it runs. */
  readonly assets?: { readonly module: string; readonly folders: readonly string[] };
};

const KUBERNETES_VERSION = { git: 'v1.36.3', major: '1', minor: '36' } as const;
const STRIP = '-s -w';
const GO_BUILD = 'with Go (several minutes, once a machine)';
const VERSION_PACKAGE = 'k8s.io/component-base/version';

const CONTROL_PLANE: Tool = {
  name: 'controlplane',
  target: '.',
  ldflags: [
    STRIP,
    `-X ${VERSION_PACKAGE}.gitVersion=${KUBERNETES_VERSION.git}`,
    `-X ${VERSION_PACKAGE}.gitMajor=${KUBERNETES_VERSION.major}`,
    `-X ${VERSION_PACKAGE}.gitMinor=${KUBERNETES_VERSION.minor}`,
  ].join(' '),
};

const GITEA: Tool = {
  name: 'gitea',
  target: 'code.gitea.io/gitea',
  ldflags: STRIP,
  tags: 'sqlite sqlite_unlock_notify',
  assets: { module: 'code.gitea.io/gitea', folders: ['options', 'public', 'templates'] },
};

const SOURCE_CONTROLLER = fluxTool('source-controller');
const KUSTOMIZE_CONTROLLER = fluxTool('kustomize-controller');

/**
 * Finds or builds the programs of a control plane. Each of etcd, kube-apiserver and kubectl is taken from the folder
 * `KUBEBUILDER_ASSETS` when that has it; everything else comes from the cache, or is built into it with Go (minutes,
 * once a machine; progress goes to `log`).
 *
 * Throws UnavailableError when something is missing and cannot be built.
 */
export async function obtainBinaries(options: { readonly flux: boolean; readonly log: LogLine }): Promise<Binaries> {
  const controlPlane = await obtainTool(CONTROL_PLANE, options.log);
  const assets = process.env.KUBEBUILDER_ASSETS;
  const program = (name: ControlPlaneProgram): Invocation => {
    const asset = assets === undefined ? undefined : path.join(assets, name);
    return asset !== undefined && existsSync(asset)
      ? { command: asset, args: [] }
      : { command: controlPlane, args: [name] };
  };
  if (!options.flux) return { program };
  const sourceController = await obtainTool(SOURCE_CONTROLLER, options.log);
  const kustomizeController = await obtainTool(KUSTOMIZE_CONTROLLER, options.log);
  const crdFolders = [crdFolder(sourceController), crdFolder(kustomizeController)];
  return { program, flux: { sourceController, kustomizeController, crdFolders } };
}

/** A Gitea and the folder of what it shows. */
export type GiteaBinary = { readonly command: string; readonly staticRoot: string };

/** Finds or builds Gitea, the forge of the tests that need one; like `obtainBinaries`. */
export async function obtainGitea(log: LogLine): Promise<GiteaBinary> {
  const command = await obtainTool(GITEA, log);
  return { command, staticRoot: path.join(path.dirname(command), 'assets') };
}

/** The folder below which built binaries are kept, shared by all checkouts on this machine. */
export function cacheFolder(): string {
  const own = process.env.SUBLET_CACHE;
  const base = own ?? path.join(process.env.XDG_CACHE_HOME ?? path.join(homedir(), '.cache'), 'sublet');
  return path.join(base, 'cluster');
}

function fluxTool(name: string): Tool {
  const module = `github.com/fluxcd/${name}`;
  return { name, target: module, ldflags: STRIP, crdModule: module };
}

function crdFolder(binary: string): string {
  return path.join(path.dirname(binary), 'crds');
}

async function obtainTool(tool: Tool, log: LogLine): Promise<string> {
  const folder = path.join(import.meta.dirname, 'tools', tool.name);
  const inputs = await hashInputs(tool, folder);
  const go = await goEnvironment();
  if (go === undefined) {
    const cached = await findForAnyGo(inputs, tool);
    if (cached !== undefined) return cached;
    throw new UnavailableError(
      `${tool.name} is not built yet and there is no Go to build it: install Go 1.26 or newer (https://go.dev/dl), ` +
        'or name a running cluster in SUBLET_TEST_KUBECONFIG',
    );
  }
  const entry = path.join(cacheFolder(), `${tool.name}-${inputs}-${go.version}-${go.os}-${go.arch}`);
  const binary = path.join(entry, tool.name);
  if (existsSync(binary)) return binary;
  try {
    await buildOnce({ entry, name: tool.name, how: GO_BUILD, log }, (staging) => build(tool, folder, staging));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UnavailableError(`${tool.name} could not be built: ${why}`, { cause: error });
  }
  return binary;
}

async function build(tool: Tool, folder: string, staging: string): Promise<void> {
  const binary = path.join(staging, tool.name);
  const tags = tool.tags === undefined ? [] : ['-tags', tool.tags];
  await runGo(folder, ['build', '-trimpath', ...tags, '-ldflags', tool.ldflags, '-o', binary, tool.target]);
  if (tool.assets !== undefined) await copyAssets(folder, tool.assets, path.join(staging, 'assets'));
  if (tool.crdModule !== undefined) await copyCrds(folder, tool.crdModule, path.join(staging, 'crds'));
}

async function copyCrds(folder: string, module: string, target: string): Promise<void> {
  const bases = path.join(await findModule(folder, module), 'config', 'crd', 'bases');
  await mkdir(target, { recursive: true });
  for (const file of await readdir(bases)) {
    await writeFile(path.join(target, file), await readFile(path.join(bases, file)));
  }
}

async function copyAssets(
  folder: string,
  { module, folders }: NonNullable<Tool['assets']>,
  target: string,
): Promise<void> {
  const source = await findModule(folder, module);
  for (const name of folders) await cp(path.join(source, name), path.join(target, name), { recursive: true });
}

async function findModule(folder: string, module: string): Promise<string> {
  return (await runGo(folder, ['list', '-m', '-f', '{{.Dir}}', module])).trim();
}

/** Hashes what decides a binary's content, so that a change of any version or flag gives a new cache entry. */
async function hashInputs(tool: Tool, folder: string): Promise<string> {
  const hash = createHash('sha256').update(`${tool.target}\n${tool.ldflags}\n${tool.tags ?? ''}`);
  for (const file of ['go.mod', 'go.sum', 'main.go']) {
    const content = existsSync(path.join(folder, file)) ? await readFile(path.join(folder, file)) : '';
    hash.update(`${file} ${content.length}\n`).update(content);
  }
  return hash.digest('hex').slice(0, 16);
}

async function findForAnyGo(inputs: string, tool: Tool): Promise<string | undefined> {
  const entries = await readdir(cacheFolder()).catch(() => []);
  const suffix = `-${process.platform}-`;
  const entry = entries.find((name) => name.startsWith(`${tool.name}-${inputs}-`) && name.includes(suffix));
  return entry === undefined ? undefined : path.join(cacheFolder(), entry, tool.name);
}
