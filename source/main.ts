import { parseArgs } from 'node:util';
import { KubeConfig } from '@kubernetes/client-node';
import { type Logger, pino } from 'pino';
import { Agent, request } from 'undici';
import { type Client, createClient } from '../kube/client.ts';
import { type Clock, type Random, realClock, realRandom } from '../kube/clock.ts';
import { createController, watchOf } from '../kube/controller.ts';
import { createEventRecorder } from '../kube/events.ts';
import { createInformer } from '../kube/informer.ts';
import { createManager } from '../kube/manager.ts';
import { createMetrics, type Metrics } from '../kube/metrics.ts';
import { parseSourceConfig, type SourceConfig } from './config.ts';
import type { OpenUrl } from './fetch.ts';

export type SourceDeps = {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly openUrl: OpenUrl;
};

