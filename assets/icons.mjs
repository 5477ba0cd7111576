// Writes templates/macros/icons.html from the Lucide icons named in icons.txt. Usage: node icons.mjs OUT
import { readFileSync, writeFileSync } from "node:fs";

const here = new URL(".", import.meta.url);
const names = readFileSync(new URL("icons.txt", here), "utf8").split("\n").filter(Boolean);
const version = JSON.parse(readFileSync(new URL("node_modules/lucide-static/package.json", here))).version;

function shapes(name) {
  const source = readFileSync(new URL(`node_modules/lucide-static/icons/${name}.svg`, here), "utf8");
  const body = source.slice(source.indexOf(">", source.indexOf("<svg")) + 1, source.lastIndexOf("</svg>"));
  return body.replace(/\s*\n\s*/g, "").replace(/\s+\/>/g, " />").trim();
}

const branches = names.map(
  (name, at) => `    {%- ${at ? "elif" : "if"} name == "${name}" -%}\n      ${shapes(name)}`,
);

writeFileSync(
  process.argv[2],
  `{#- Written by assets/icons.mjs from Lucide ${version} (ISC licence, static/vendor/LICENCES.txt): do not edit. -#}
{%- macro icon(name, size=20, label=None) -%}
  <svg width="{{ size }}"
       height="{{ size }}"
       viewBox="0 0 24 24"
       fill="none"
       stroke="currentColor"
       stroke-width="1.75"
       stroke-linecap="round"
       stroke-linejoin="round"
       {% if label %}role="img" aria-label="{{ label }}"{% else %}aria-hidden="true"{% endif %}>
${branches.join("\n")}
    {%- else -%}
      {{ undefined_icon[name] }}
    {%- endif -%}
  </svg>
{%- endmacro -%}
`,
);
