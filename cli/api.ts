import type { Command } from 'commander';
import { documentCommand, SERVER_CODES } from './help.ts';

/** `sublet api`: people and panels order through it, and every order is a commit. */
export function addApiCommand(program: Command, signal: AbortSignal): void {
  const command = program
    .command('api')
    .description('run the API until it is stopped')
    .action(async () => (await import('../api/main.ts')).runApi(process.env, signal));
  documentCommand(command, {
    details: [
      "Reaches the API server as kubectl does: KUBECONFIG, ~/.kube/config, or the pod's ServiceAccount. Needs git on the PATH to carry changes out.",
      'SUBLET_API_CONFIG may hold settings as JSON; api/config.ts lists them with their defaults. SUBLET_DATABASE_URL names a PostgreSQL, or',
      'SUBLET_DATABASE_FOLDER a folder for a database in this process.',
      'Of the settings, modes says which orders become pull requests, and git.forge where: its type (Gitea, GitHub, GitLab), apiUrl and tokenFile. Others of git are',
      'pushWindowMs, reviewSeconds, authorityFile (certificates of the Git server) and depth; docs/guides/api.md explains them.',
    ],
    examples: [
      ['SUBLET_DATABASE_URL=postgres://sublet@db/sublet sublet api', 'with the defaults'],
      [
        `SUBLET_DATABASE_FOLDER=/data SUBLET_API_CONFIG='{"publicUrl": "https://sublet.example.com"}' sublet api`,
        'alone, to try it',
      ],
      [
        `SUBLET_API_CONFIG='{"publicUrl": "https://sublet.example.com", "modes": [{"kinds": ["Plan"], "mode": "PullRequest"}], "git": {"forge": {"type": "Gitea", "tokenFile": "/etc/sublet/token"}}}' sublet api`,
        'prices as pull requests',
      ],
    ],
    exitCodes: SERVER_CODES,
  });
}
