import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseResource } from '../../crds/rules/index.ts';
import type { SubletResource } from '../../crds/v1alpha1/resources.ts';
import { DEFAULT_LIMITS } from '../../source/limits.ts';
import { parseFolder } from '../../source/parse.ts';
import type { CliDeps } from '../deps.ts';
import { CliExit, EXIT } from '../exit.ts';

export type Declared = {
  readonly name: string;
  readonly namespace: string | undefined;
  readonly spec: Readonly<Record<string, unknown>>;
  readonly where: string;
};

/** Resources of one kind from a YAML file as it would lie in a repository, or from standard input (`-`), judged as the fleet source judges files. */
export async function readDeclared(
  deps: CliDeps,
  file: string,
  kind: SubletResource['kind'],
): Promise<readonly Declared[]> {
  const bytes = await readBytes(deps, file);
  const name = 'input.yaml';
  const shown = file === '-' ? 'standard input' : file;
  const parsed = await parseFolder(
    { namespace: '', rawDigest: '', files: [{ name, validName: true, bytes, digest: '' }] },
    { limits: DEFAULT_LIMITS },
  );
  const problems = parsed.violations.map(
    ({ line, rule, message }) => `${shown}${line > 0 ? `:${line}` : ''}: ${rule}: ${message}`,
  );
  const declared = parsed.documents.flatMap(({ value, line, lineOf }): readonly Declared[] => {
    const resource = parseResource(value);
    if (!resource.ok) {
      problems.push(
        ...resource.errors.map(
          ({ path: field, segments, message }) => `${shown}:${lineOf(segments)}: Schema: ${field} ${message}`,
        ),
      );
      return [];
    }
    if (resource.value.kind !== kind) {
      problems.push(`${shown}:${lineOf(['kind'])}: Schema: kind must be ${kind} here, is ${resource.value.kind}`);
      return [];
    }
    const { metadata } = resource.value;
    // As it was written: a default that nobody stated is not sent.
    const { spec } = value as { readonly spec: Readonly<Record<string, unknown>> };
    return [{ name: metadata.name, namespace: metadata.namespace, spec, where: `${shown}:${line}` }];
  });
  if (problems.length > 0) throw new CliExit(EXIT.usage, problems.join('\n'));
  if (declared.length === 0) throw new CliExit(EXIT.usage, `${shown} holds no ${kind}`);
  return declared;
}

async function readBytes(deps: CliDeps, file: string): Promise<Uint8Array> {
  try {
    if (file === '-') return Buffer.from(await deps.readStdin());
    return await readFile(path.resolve(deps.cwd, file));
  } catch (error) {
    throw new CliExit(EXIT.usage, `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}
