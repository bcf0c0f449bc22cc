/**
 * Bounds on everything that the fleet source reads from a repository. Git content is written by customers too, so no size, count or
 * depth is taken on trust. All figures are configuration (`config.ts`); these are the defaults.
 */
export type SourceLimits = {
  /** Bytes of the artifact as source-controller serves it. */
  readonly archiveBytes: number;
  /** Bytes of the artifact after decompression. */
  readonly unpackedBytes: number;
  /** Most decompressed bytes for one compressed byte, looked at above `RATIO_FLOOR_BYTES`. */
  readonly compressionRatio: number;
  /** Entries of the archive, directories included. */
  readonly entries: number;
  /** Folders deep, the file itself included. */
  readonly pathDepth: number;
  /** Bytes of one path. */
  readonly pathBytes: number;
  /** YAML files in one tenant folder. */
  readonly folderFiles: number;
  /** Bytes of all YAML files in one tenant folder. */
  readonly folderBytes: number;
  /** Bytes of one YAML file. */
  readonly fileBytes: number;
  /** Resources in one tenant folder. Flux is comfortable with about a thousand in a Kustomization and slow with many more. */
  readonly folderResources: number;
  /** Nesting of one YAML document. */
  readonly yamlDepth: number;
  /** Aliases resolved in one YAML document. */
  readonly yamlAliases: number;
};

export const DEFAULT_LIMITS: SourceLimits = {
  archiveBytes: 64 * 1024 * 1024,
  unpackedBytes: 256 * 1024 * 1024,
  compressionRatio: 200,
  entries: 80_000,
  pathDepth: 16,
  pathBytes: 512,
  folderFiles: 5_000,
  folderBytes: 4 * 1024 * 1024,
  fileBytes: 128 * 1024,
  folderResources: 5_000,
  yamlDepth: 32,
  yamlAliases: 16,
};

/** Below this many decompressed bytes the ratio says nothing: a small tree of similar files compresses very well. */
export const RATIO_FLOOR_BYTES = 16 * 1024 * 1024;

/**
 * The archive as a whole cannot be used. `limit` names the bound or rule that it broke, the message the number. Nothing of the revision
 * is published; what was accepted before stays.
 */
export class ArchiveRefusedError extends Error {
  readonly limit: string;

  constructor(limit: string, message: string) {
    super(message);
    this.name = 'ArchiveRefusedError';
    this.limit = limit;
  }
}
