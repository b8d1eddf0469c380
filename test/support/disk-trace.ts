/**
 * Reads what strace saw of a process: what it wrote to the files of one directory, when it asked for it to be on the disk,
 * and what it said to its clients meanwhile.
 */
import { spawnSync } from "node:child_process";
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";

/** Why tracing is impossible here; undefined when it works. */
export const tracingObstacle = (): string | undefined => {
  if (process.platform !== "linux") return "strace is for Linux";
  const probe = spawnSync("strace", ["-f", "--seccomp-bpf", "-o", "/dev/null", "true"]);
  if (probe.error !== undefined) return "strace is not installed";
  return probe.status === 0 ? undefined : "strace may not trace here";
};

/** More than any single write to the event store; larger ones would be cut short in the trace. */
const MAX_SHOWN = 65_536;

/** The command to put before a program: traces it into a file, and ends after it. */
export const traceInto = (file: string): readonly string[] => [
  ...["strace", "-f", "-y", "-x", "--seccomp-bpf", "-s", String(MAX_SHOWN), "-e", "signal=none", "-o", file],
  ...["-e", "trace=openat,pwrite64,write,writev,fsync,fdatasync,ftruncate,unlink"],
];

/** Something that was done, in the order in which it was over. `begun` and `over` count lines of the trace. */
export type Deed = { readonly begun: number; readonly over: number } & (
  | { readonly kind: "create" | "unlink"; readonly path: string }
  /** `perhaps`: the process was killed in it, so nobody saw whether it was done. */
  | { readonly kind: "write"; readonly path: string; readonly offset: number; readonly data: Buffer; readonly perhaps: boolean }
  | { readonly kind: "truncate"; readonly path: string; readonly size: number }
  | { readonly kind: "sync"; readonly path: string }
  /** Counted from its beginning: a client may have heard it then. */
  | { readonly kind: "say"; readonly text: string }
);

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", v: "\v", f: "\f" };

/** The octets of a C string literal's inside, one character each. */
const unescaped = (literal: string): string =>
  literal.replace(/\\(x[0-9a-f]{2}|[0-7]{1,3}|.)/gu, (_, code: string) => {
    if (code.startsWith("x")) return String.fromCharCode(Number.parseInt(code.slice(1), 16));
    if (/^[0-7]/u.test(code)) return String.fromCharCode(Number.parseInt(code, 8));
    return ESCAPES[code] ?? code;
  });

type Span = { readonly begun: number; readonly over: number };

const UNFINISHED = "<unfinished ...>";
const RESUMED = "resumed>";
/** The end of a call that its process did not live to see. */
const KILLED = " = ?";

const writeOf = (text: string, path: string, span: Span): Deed => {
  const [, literal = "", cut, offset] = /^[^"]*"((?:[^"\\]|\\.)*)"(\.\.\.)?, \d+, (\d+)\) +=/u.exec(text) ?? [];
  if (offset === undefined || cut !== undefined) throw new Error(`cannot read ${text.slice(0, 200)}`);
  const perhaps = text.endsWith(KILLED);
  return { ...span, kind: "write", path, offset: Number(offset), data: Buffer.from(unescaped(literal), "latin1"), perhaps };
};

/** Something done to an open file. */
const fileDeed = (call: string, text: string, path: string, span: Span): Deed | undefined => {
  switch (call) {
    case "pwrite64":
      return writeOf(text, path, span);
    case "ftruncate":
      return { ...span, kind: "truncate", path, size: Number(/, (\d+)\)/u.exec(text)?.[1]) };
    case "fsync":
    case "fdatasync":
      return { ...span, kind: "sync", path };
    default:
      return undefined;
  }
};

/** Something done to a name. */
const nameDeed = (call: "openat" | "unlink", text: string, directory: string, span: Span): Deed | undefined => {
  const [, path = ""] = /"([^"]*)"/u.exec(text) ?? [];
  if (!path.startsWith(directory)) return undefined;
  if (call === "unlink") return { ...span, kind: "unlink", path };
  return text.includes("O_CREAT") ? { ...span, kind: "create", path } : undefined;
};

/** `call(arguments) = result` as a deed; undefined for what does not matter. */
const deedOf = (text: string, directory: string, span: Span): Deed | undefined => {
  const call = text.slice(0, text.indexOf("("));
  if (call === "write" || call === "writev") {
    return text.includes('"HTTP/1.1 ') ? { begun: span.begun, over: span.begun, kind: "say", text: unescaped(text) } : undefined;
  }
  if (/ = -\d+ [^=]*$/u.test(text) || (text.endsWith(KILLED) && call !== "pwrite64")) return undefined;
  if (call === "openat" || call === "unlink") return nameDeed(call, text, directory, span);
  const path = /^\w+\(\d+<([^>]*)>/u.exec(text)?.[1] ?? "";
  return path.startsWith(directory) ? fileDeed(call, text, path, span) : undefined;
};

/**
 * What a finished trace says about the files in `directory` (an absolute path without symbolic links). `after`: the last
 * deed of the trace that it follows, so that lines are counted on.
 */
export const readTrace = async (file: string, directory: string, after?: Deed): Promise<readonly Deed[]> => {
  const deeds: Deed[] = [];
  const unfinished = new Map<string, { readonly text: string; readonly begun: number }>();
  let number = after?.over ?? 0;
  const take = (text: string, begun = number): void => {
    const deed = deedOf(text, directory, { begun, over: number });
    if (deed !== undefined) deeds.push(deed);
  };
  for await (const line of createInterface({ input: createReadStream(file, "latin1") })) {
    number += 1;
    const space = line.indexOf(" ");
    const thread = line.slice(0, space);
    const rest = line.slice(space).trimStart();
    const start = unfinished.get(thread);
    if (rest.endsWith(UNFINISHED)) {
      unfinished.set(thread, { text: rest.slice(0, -UNFINISHED.length).trimEnd(), begun: number });
    } else if (rest.startsWith("<... ") && start !== undefined) {
      unfinished.delete(thread);
      take(`${start.text}${rest.slice(rest.indexOf(RESUMED) + RESUMED.length)}`, start.begun);
    } else {
      take(rest);
    }
  }
  for (const { text, begun } of unfinished.values()) take(`${text})${KILLED}`, begun);
  return deeds.sort((a, b) => a.over - b.over);
};
