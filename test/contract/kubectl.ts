import { spawn } from 'node:child_process';
import path from 'node:path';
import type { Invocation } from '../cluster/binaries.ts';

/** It starts slowly and takes a whole core meanwhile, so that more at once are only later. */
const AT_ONCE = 2;
let running = 0;
const waiting: (() => void)[] = [];

/** Runs kubectl as a user of that kubeconfig; its cache of discovery lies beside it. */
export async function runKubectl(
  invocation: Invocation | undefined,
  kubeconfigPath: string,
  args: readonly string[],
  input = '',
): Promise<{ stdout: string; stderr: string; code: number }> {
  if (invocation === undefined) throw new Error('there is no kubectl');
  const cache = path.join(path.dirname(kubeconfigPath), 'contract-kubectl-cache');
  const all = [...invocation.args, `--cache-dir=${cache}`, ...args];
  if (running >= AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve));
  running++;
  try {
    return await spawnKubectl(invocation.command, all, kubeconfigPath, input);
  } finally {
    running--;
    waiting.shift()?.();
  }
}

function spawnKubectl(
  command: string,
  all: readonly string[],
  kubeconfigPath: string,
  input: string,
): Promise<{ stdout: string; stderr: string; code: number }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, all, { env: { ...process.env, KUBECONFIG: kubeconfigPath } });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk;
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr += chunk;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ stdout, stderr, code: code ?? 1 }));
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}
