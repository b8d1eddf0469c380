/** Mail from clients that log in over SMTP: the listeners of the kind `submission`. */
import { readFileSync } from "node:fs";
import { networksOf } from "../adapters/auth/networks.ts";
import type { Config, ListenerConfig } from "../adapters/config/schema.ts";
import type { HttpLog } from "../adapters/http/server.ts";
import type { Metrics } from "../adapters/observability/metrics.ts";
import { messageIdOf } from "../adapters/mime/message-id.ts";
import { conductOf } from "../adapters/smtp-in/mx/conduct.ts";
import type { Room } from "../adapters/smtp-in/room.ts";
import { pooledRandom } from "../adapters/random/pooled-random.ts";
import { submissionListener, SUBMISSION_LIMITS } from "../adapters/smtp-in/submission/server.ts";
import type { Directory } from "../domain/account/account.ts";
import type { Clock } from "../domain/clock.ts";
import type { Submit } from "../domain/submission/submission.ts";
import type { HttpShared } from "./http.ts";

export type SubmissionParts = {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: HttpLog;
  readonly directory: Directory;
  readonly submit: Submit;
  /** For messages that come in at the same time. */
  readonly room: Room;
  /** Logins, their limits and DKIM keys are those of HTTP. */
  readonly shared: Pick<HttpShared, "authenticator" | "limiter" | "sign">;
  readonly recorded: Pick<Metrics, "loginFailed">;
};

type SubmissionListenerConfig = Extract<ListenerConfig, { kind: "submission" }>;

const submissionListeners = ({ listeners }: Config): readonly (readonly [string, SubmissionListenerConfig])[] =>
  Object.entries(listeners).flatMap(([name, listener]) => (listener.kind === "submission" ? [[name, listener] as const] : []));

const pem = ({ certFile, keyFile }: { readonly certFile: string; readonly keyFile: string }) => ({
  cert: readFileSync(certFile, "utf8"),
  key: readFileSync(keyFile, "utf8"),
});

const TOKEN_OCTETS = 16;

/** Message-IDs that nobody can guess. */
const messageIds = (hostName: string, clock: Clock): (() => string) => {
  const random = pooledRandom();
  return () => messageIdOf(clock.now(), random(TOKEN_OCTETS).toString("base64url"), hostName);
};

const common = ({ config, clock, log, directory, submit, room, shared, recorded }: SubmissionParts) => {
  const { hostName, maxMessageSize, submission } = config;
  return {
    ...{ hostName, maxMessageSize, clock, directory, submit, room },
    ...{ authenticator: shared.authenticator, limiter: shared.limiter, sign: shared.sign },
    maxRecipients: submission.maxRecipients,
    newMessageId: messageIds(hostName, clock),
    conduct: conductOf({
      clock,
      limits: { ...SUBMISSION_LIMITS, perAddress: submission.maxConnectionsPerAddress },
      networkOf: (address) => networksOf(address)[0] ?? address,
    }),
    onFailure: () => {
      recorded.loginFailed("smtp");
    },
    onError: (error: unknown) => {
      log.error({ err: error }, "taking mail over SMTP failed");
    },
  };
};

/** Opens all of them, one after the other; `opened` hears of each, so that what is open can be closed when the next fails. */
export const listenForSubmission = async (
  parts: SubmissionParts,
  opened: (name: string, place: { readonly address: string; readonly port: number }, close: () => Promise<void>) => void,
): Promise<void> => {
  const own = common(parts);
  for (const [name, { tls, ...listener }] of submissionListeners(parts.config)) {
    const { listen, close } = submissionListener({ ...own, ...listener, ...(tls === undefined ? {} : { tls: pem(tls) }) });
    opened(name, { address: listener.address, port: await listen() }, close);
  }
};
