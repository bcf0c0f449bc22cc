import { readFile, rename, writeFile } from 'node:fs/promises';
import { z } from 'zod';

/** What was last fetched, and the artifact's revision then: the way to see after a restart that the artifact is the older of the two. */
export type HeadRecord = z.infer<typeof HeadRecord>;

const HeadRecord = z.strictObject({ revision: z.string(), artifactThen: z.string().optional() });

export type HeadRecordFile = {
  /** Undefined when there is none, or none that can be read. */
  read(): Promise<HeadRecord | undefined>;
  /** No write when it says so already. */
  write(record: HeadRecord): Promise<void>;
};

/** A record in a file of the volume; with the volume it is lost. */
export function createHeadRecordFile(path: string): HeadRecordFile {
  let known: Promise<HeadRecord | undefined> | undefined;
  const read = (): Promise<HeadRecord | undefined> => {
    known ??= readFile(path, 'utf8').then(parse, () => undefined);
    return known;
  };
  return {
    read,
    write: async ({ revision, artifactThen }) => {
      const before = await read();
      if (before?.revision === revision && before.artifactThen === artifactThen) return;
      await writeFile(`${path}.part`, JSON.stringify({ revision, artifactThen }));
      await rename(`${path}.part`, path);
      known = Promise.resolve({ revision, artifactThen });
    },
  };
}

function parse(text: string): HeadRecord | undefined {
  try {
    return HeadRecord.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
