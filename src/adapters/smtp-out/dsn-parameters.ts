/** What a next hop that offers DSN is told about reports: the parameters of RFC 3461, each only as far as it was asked for. */
import type { DeliveryRecipient } from "../../domain/delivery.ts";

export type DsnWish = Pick<DeliveryRecipient, "notify" | "originalRecipient">;

/** RFC 3461 sections 4.2 and 4.4. */
const MAX_ORCPT = 500;
const MAX_ENVID = 100;

/** RFC 3461 section 4: printable ASCII but "+" and "=" stands for itself, everything else is an octet in hexadecimal. */
export const xtext = (text: string): string => {
  if (/^[!-*,-<>-~]*$/u.test(text)) return text;
  return Array.from(Buffer.from(text), (octet) =>
    octet > 0x20 && octet < 0x7f && octet !== 0x2b && octet !== 0x3d
      ? String.fromCharCode(octet)
      : `+${octet.toString(16).toUpperCase().padStart(2, "0")}`,
  ).join("");
};

/** RFC 6533 section 3, utf-8-addr-xtext: characters beyond ASCII, and those that have a meaning here, by code point. */
const utf8Xtext = (text: string): string =>
  Array.from(text, (character) => {
    const point = character.codePointAt(0) ?? 0;
    return point > 0x20 && point < 0x7f && !"\\+=".includes(character) ? character : `\\x{${point.toString(16).toUpperCase()}}`;
  }).join("");

/** ORCPT of an address; what was given is passed on as it was (RFC 3461 section 5.2.1). */
const orcpt = (address: string, given: string): string => {
  const [, type = "", original = ""] = /^([^;]+);(.*)$/su.exec(given) ?? [];
  if (original !== "" && type.toLowerCase() !== "utf-8") return `${type};${xtext(original)}`;
  const known = original === "" ? address : original;
  return /^[\u0000-\u007f]*$/u.test(known) && original === "" ? `rfc822;${xtext(known)}` : `utf-8;${utf8Xtext(known)}`;
};

/** Parameters of RCPT TO, with a space before each. NOTIFY only where the submitter said something about it. */
export const recipientParameters = (address: string, { notify, originalRecipient }: DsnWish): string => {
  const wanted = notify === null ? "" : ` NOTIFY=${notify.length === 0 ? "NEVER" : notify.join(",").toUpperCase()}`;
  const original = orcpt(address, originalRecipient);
  return `${wanted}${original.length > MAX_ORCPT ? "" : ` ORCPT=${original}`}`;
};

/** Parameters of MAIL FROM, with a space before each. */
export const senderParameters = (envelopeId: string, returnContent: "full" | "headers" | null): string => {
  const envid = xtext(envelopeId);
  const ret = returnContent === null ? "" : ` RET=${returnContent === "full" ? "FULL" : "HDRS"}`;
  return `${ret}${envid === "" || envid.length > MAX_ENVID ? "" : ` ENVID=${envid}`}`;
};
