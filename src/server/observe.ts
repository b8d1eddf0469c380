/** What operators can see of a running server without logging in: `/metrics` and `/healthz`. */
import type { Middleware } from "koa";
import type { Clock } from "../domain/clock.ts";
import type { EventStore } from "../adapters/event-store/event-store.ts";
import type { HttpLog } from "../adapters/http/server.ts";
import { health } from "../adapters/observability/health.ts";
import { metrics, type Metrics } from "../adapters/observability/metrics.ts";
import type { Views } from "../adapters/views/open-views.ts";

/** Parts that are opened after the metrics are: what they record into must be there first. */
export type Watched = { views: Views | undefined; store: EventStore | undefined; fatal: Error | undefined };

/** Beyond this many positions the views are not "some milliseconds" behind. */
const FAR_BEHIND = 100_000;

export const metricsFor = (watched: Watched, clock: Clock, log: HttpLog): Metrics =>
  metrics({
    readings: {
      now: clock.now,
      counts: (list) => watched.views?.queries.counts(list) ?? [],
      earliestDueAt: (kind) => watched.views?.readModel.nextDueAt(kind, 0),
      viewsBehind: () => (watched.store?.head() ?? 0) - (watched.views?.readModel.position() ?? 0),
    },
    onError: (error) => {
      log.error({ err: error }, "a metric could not be read");
    },
  });

/** Serves `/metrics` and `/healthz` below a listener's base path. */
export const observabilityRoutes = (watched: Watched, recorded: Metrics, log: HttpLog): ((basePath: string) => Middleware) => {
  const report = health({
    checks: {
      store: () => watched.fatal?.message ?? null,
      views: () => {
        const behind = (watched.store?.head() ?? 0) - (watched.views?.readModel.position() ?? 0);
        return behind > FAR_BEHIND ? `${behind} positions behind the log` : null;
      },
    },
    onError: (check, error) => {
      log.error({ err: error, check }, "a health check failed");
    },
  });
  return (basePath) => async (ctx, next) => {
    const path = ctx.method === "GET" || ctx.method === "HEAD" ? ctx.path : "";
    if (path === `${basePath}/metrics`) {
      ctx.set("Content-Type", recorded.contentType);
      ctx.body = await recorded.text();
    } else if (path === `${basePath}/healthz`) {
      const answer = await report();
      ctx.status = answer.ok ? 200 : 503;
      ctx.body = answer;
    } else {
      await next();
    }
  };
};
