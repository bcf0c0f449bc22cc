/** Who may lead is decided by one Lease. Defaults are client-go's: 15 s, 10 s, 2 s. */
export type LeaderElectionOptions = {
  readonly namespace: string;
  readonly name: string;
  /** Unique a process. Default: host name and random bytes. */
  readonly identity?: string | undefined;
  /** How long others wait after the last renewal that they saw. */
  readonly leaseDurationMs?: number | undefined;
  /** How long the leader goes on without a successful renewal before it stops. Less than the lease's duration. */
  readonly renewDeadlineMs?: number | undefined;
  readonly retryPeriodMs?: number | undefined;
};
