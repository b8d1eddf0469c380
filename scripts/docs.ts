/** `npm run docs` writes the generated parts of README.md; with `--check` it only says whether they are what they should be. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { withSections } from "./readme-sections.ts";

const path = join(import.meta.dirname, "../README.md");
const page = await readFile(path, "utf8");
const wanted = await withSections(page);

if (page === wanted) {
  console.log("README.md is up to date");
} else if (process.argv.includes("--check")) {
  console.error("README.md differs from the charts and tables in the code: run `npm run docs` and commit the result");
  process.exitCode = 1;
} else {
  await writeFile(path, wanted);
  console.log("README.md written");
}
