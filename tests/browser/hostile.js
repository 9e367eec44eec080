/** Texts that mean harm: each is to be drawn as what it is, and nothing else. */
const RUN = 'window.ran=1';

const SCRIPTS = [
  `<script>${RUN}</script>`, `<img src=x onerror="${RUN}">`, `<svg onload="${RUN}"></svg>`, `"><script>${RUN}</script>`, `'><img src=x onerror=${RUN}>`,
  `<iframe srcdoc="<script>parent.${RUN}</script>"></iframe>`, `<a href="javascript:${RUN}">clic</a>`, `javascript:${RUN}`, `JaVaScRiPt:${RUN}`, ` javascript:${RUN}`,
  `http://"onmouseover="${RUN}"`, `https://exemple.fr/"><script>${RUN}</script>`, `https://exemple.fr/?q=<img src=x onerror=${RUN}>`, `data:text/html,<script>${RUN}</script>`,
  `vbscript:msgbox(1)`, `<style>body{display:none}</style>`, `<link rel=stylesheet href=//evil.example>`, `<meta http-equiv=refresh content="0;url=//evil.example">`,
  `<base href=//evil.example/>`, `<form action=//evil.example><input name=x>`, `<details open ontoggle=${RUN}>`, `<math><mtext></mtext><script>${RUN}</script></math>`,
  `\${${RUN}}`, `{{constructor.constructor('${RUN}')()}}`, `<!--><script>${RUN}</script>-->`, `<noscript><p title="</noscript><img src=x onerror=${RUN}>">`,
  `&lt;script&gt;${RUN}&lt;/script&gt;`, `%3Cscript%3E${RUN}%3C/script%3E`, `\\u003cscript\\u003e${RUN}\\u003c/script\\u003e`, `mailto:a@b.fr?body=<script>${RUN}</script>`,
];

const SHAPES = [
  'x'.repeat(10_000), 'mot '.repeat(2_500).trim(), '\n'.repeat(2_000) + 'fin', 'W'.repeat(500), '😀'.repeat(900), '​'.repeat(3_000) + 'a', '­'.repeat(800) + 'b',
  'Z' + '\u0317\u033d\u0361\u0489'.repeat(400), '\u202eà l’envers', '\u202e\u202d\u2066\u2067\u2068 sans fin', 'مرحبا بالعالم '.repeat(60), 'שלום abc 123 עולם', '\u200f\u200f\u200f',
  'a\u202eb\u202ec\u202ed', '﷽'.repeat(120), '𒐫'.repeat(120), '︻デ═一'.repeat(60), '🏳️‍🌈👨‍👩‍👧‍👦'.repeat(80), 'ﷺ'.repeat(200), '\u2028\u2029 lignes \u0085', '\tx\ty\tz'.repeat(200),
  'https://exemple.fr/' + 'a'.repeat(3_000), 'https://' + 'sous.'.repeat(200) + 'exemple.fr', 'a@' + 'b.'.repeat(500) + 'fr', '((((((((((https://exemple.fr/))))))))))', 'ÀÉÎÕÜ'.repeat(300),
  '﻿début', 'null', '__proto__', '[object Object]',
];

export const HOSTILE = [...SCRIPTS, ...SHAPES];

export const HOSTILE_NAMES = {
  person: `<img src=x onerror=${RUN}> ${'Très'.repeat(12)}`,
  file: `"><img src=x onerror=${RUN}> facture ${'longue '.repeat(12)}.txt`,
};
