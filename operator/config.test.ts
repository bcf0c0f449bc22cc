import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { OperatorConfig } from './config.ts';

const MEMBERS = path.join(import.meta.dirname, '../deploy/prerequisites/members.yaml');

type Role = {
  readonly rules: readonly {
    readonly apiGroups: readonly string[];
    readonly resources: readonly string[];
    readonly verbs: readonly string[];
  }[];
};

it.each(['Customer', 'Reseller'] as const)(
  'a %s can flood its namespace with nothing that a member may make',
  async (type) => {
    const roles = parseAllDocuments(await readFile(MEMBERS, 'utf8')).map((document): Role => document.toJS());
    const made = roles.flatMap(({ rules }) =>
      rules
        .filter(({ verbs }) => verbs.includes('create'))
        .flatMap(({ apiGroups, resources }) => resources.map((resource) => `${resource}.${apiGroups[0]}`)),
    );
    expect(made.length).toBeGreaterThan(4);
    expect(Object.keys(OperatorConfig.parse({}).objectCounts[type])).toEqual(expect.arrayContaining(made));
  },
);
