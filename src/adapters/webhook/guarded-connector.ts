/**
 * Connections to webhook receivers. The address that was checked is the address that is dialled: the check sits in the
 * connection's own look-up, so a name that answers differently a moment later (DNS rebinding) gains nothing.
 */
import { lookup as systemLookup } from "node:dns/promises";
import { isIP, type LookupFunction, type Socket } from "node:net";
import { buildConnector, errors } from "undici";

import type { AddressGuard } from "./address-guard.ts";

/** One address of a host name. */
export type ResolvedAddress = { readonly address: string; readonly family: 4 | 6 };

/** All addresses of a host name, in the order to try them. Rejects with a DNS error code when there are none. */
export type Resolve = (host: string) => Promise<readonly ResolvedAddress[]>;

/** The operating system's resolver, with its hosts file. */
export const systemResolve: Resolve = async (host) =>
  (await systemLookup(host, { all: true })).map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }));

/** An address that must not be called. The message is fit for the owner of the webhook. */
export class AddressRefused extends Error {
  override readonly name = "AddressRefused";
  readonly code = "ADDRESS_REFUSED";
}

export type ConnectorOptions = {
  readonly guard: AddressGuard;
  readonly resolve: Resolve;
  /** Longest that one connection, with TLS, may take to be made. */
  readonly connectTimeoutMs: number;
  /** PEM certificates to trust instead of the usual authorities. */
  readonly trustedCertificates: readonly string[] | undefined;
};

export type GuardedConnector = {
  readonly connect: buildConnector.connector;
  /** Connections that are open or being made. */
  readonly openSockets: () => number;
  /** Whether this error came from a connection that had answered before: the other side may just have closed it for idleness. */
  readonly brokeKeptConnection: (error: unknown) => boolean;
  /** Breaks all connections. */
  readonly destroy: () => void;
};

const CLOSED_BY_PEER: ReadonlySet<string | undefined> = new Set(["ECONNRESET", "EPIPE"]);

const guardedLookup =
  ({ guard, resolve }: ConnectorOptions): LookupFunction =>
  (host, options, callback) => {
    resolve(host).then(
      (found) => {
        const allowed = found.filter(({ address }) => guard(address) === null);
        const [first] = allowed;
        if (first !== undefined && options.all === true) callback(null, [...allowed]);
        else if (first !== undefined) callback(null, first.address, first.family);
        else callback(new AddressRefused(found[0] === undefined ? "host has no address" : (guard(found[0].address) ?? "")), "", 0);
      },
      (error: unknown) => {
        callback(error instanceof Error ? error : new Error("look-up failed", { cause: error }), "", 0);
      },
    );
  };

/** Makes connections for undici, to addresses that the guard lets pass. */
export const guardedConnector = (options: ConnectorOptions): GuardedConnector => {
  const sockets = new Set<Socket>();
  const keptErrors = new WeakSet<Error>();
  const { guard, connectTimeoutMs, trustedCertificates } = options;
  const dial = buildConnector({
    timeout: connectTimeoutMs,
    lookup: guardedLookup(options),
    ...(trustedCertificates === undefined ? {} : { ca: [...trustedCertificates] }),
  }) as (options: buildConnector.Options, callback: buildConnector.Callback) => Socket;

  const track = (socket: Socket): void => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    // First in line, so that the mark is there when undici hands the error on.
    socket.prependListener("error", (error) => {
      if (socket.bytesRead > 0 && CLOSED_BY_PEER.has((error as NodeJS.ErrnoException).code)) keptErrors.add(error);
    });
  };

  const connect: buildConnector.connector = (target, callback) => {
    // A literal address is never looked up, so it is checked here.
    const refused = isIP(target.hostname) === 0 ? null : guard(target.hostname);
    if (refused !== null) {
      queueMicrotask(() => {
        callback(new AddressRefused(refused), null);
      });
      return;
    }
    const socket = dial(target, (...[error, connected]: [Error, null] | [null, Socket]) => {
      // undici leaves the second argument out when there is an error.
      if (error !== null) {
        callback(error, null);
        return;
      }
      // Cannot differ from what was checked above; if it ever does, nothing must be sent there.
      const reached = guard(connected.remoteAddress ?? "");
      if (reached === null) callback(null, connected);
      else {
        connected.destroy();
        callback(new AddressRefused(reached), null);
      }
    });
    track(socket);
  };

  return {
    connect,
    openSockets: () => sockets.size,
    brokeKeptConnection: (error) => {
      if (!(error instanceof Error)) return false;
      if (keptErrors.has(error)) return true;
      return error instanceof errors.SocketError && error.message === "other side closed" && (error.socket?.bytesRead ?? 0) > 0;
    },
    destroy: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
};
