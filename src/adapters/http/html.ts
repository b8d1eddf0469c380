/** HTML as a template tag that escapes whatever is put into it, so that forgetting to is not possible. */

/** Text that is HTML already. */
export type Html = { readonly html: string };

/** What may stand in a template. Null, undefined and false leave nothing. */
export type Content = Html | string | number | null | undefined | false | readonly Content[];

const ESCAPES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** Escaped for element content and for quoted attributes. Control characters, which no page may hold, become a sign. */
export const escapeHtml = (text: string): string =>
  text
    .replace(/[&<>"']/gu, (character) => ESCAPES[character] ?? "")
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/gu, "\u{FFFD}");

const render = (content: Content): string => {
  if (content === null || content === undefined || content === false) return "";
  if (typeof content === "string") return escapeHtml(content);
  if (typeof content === "number") return `${content}`;
  return "html" in content ? content.html : content.map(render).join("");
};

/** Attribute values in templates must stand in quotes. */
export const html = (parts: TemplateStringsArray, ...contents: readonly Content[]): Html => ({
  html: parts.reduce((text, part, index) => text + render(contents[index - 1]) + part),
});
