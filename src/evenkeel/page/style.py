"""The style sheet of the page: quiet type, one column, colours for light and dark, and for paper."""

STYLE = """
:root { color-scheme: light dark;
  --ek-page: #fcfcfb; --ek-surface: #ffffff; --ek-ink: #1d2126; --ek-muted: #626a73; --ek-rule: #e4e5e3;
  --ek-soft: #f3f3f0; --ek-good: #25785a; --ek-note: #8a6212; --ek-bad: #b23b33;
  --ek-series-1: #3b6ea8; --ek-series-2: #c26f26; --ek-series-3: #27877c; --ek-series-4: #88579d;
  --ek-series-5: #b2484f; --ek-series-6: #70762d;
  --ek-font: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", sans-serif;
  --ek-mono: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
@media (prefers-color-scheme: dark) { :root {
  --ek-page: #15171a; --ek-surface: #1b1e22; --ek-ink: #e2e5e9; --ek-muted: #98a1ab; --ek-rule: #2d3238;
  --ek-soft: #202429; --ek-good: #5fbf95; --ek-note: #d8aa55; --ek-bad: #e8837b;
  --ek-series-1: #79a7dc; --ek-series-2: #e09a58; --ek-series-3: #58b7aa; --ek-series-4: #bb92cd;
  --ek-series-5: #de8188; --ek-series-6: #adb35e; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0; background: var(--ek-page); color: var(--ek-ink); font: 16px/1.55 var(--ek-font); }
main { max-width: 61rem; margin: 0 auto; padding: 3.5rem 1.5rem 5rem; }
h1 { margin: 0; font-size: 1.85rem; line-height: 1.2; font-weight: 650; letter-spacing: -0.015em; }
h2 { margin: 0 0 1.25rem; font-size: 1.25rem; line-height: 1.3; font-weight: 620; letter-spacing: -0.008em; }
h3 { margin: 2.25rem 0 0.6rem; font-size: 0.95rem; font-weight: 620; }
h1, h2, h3, p, dd, li, figcaption, summary { overflow-wrap: anywhere; }
p { margin: 0 0 1.5rem; max-width: 44rem; }
.small { margin: 0.8rem 0 0; font-size: 0.8125rem; line-height: 1.45; max-width: 40rem; }
section { margin-top: 3.25rem; padding-top: 2rem; border-top: 1px solid var(--ek-rule); }
.subtitle { margin: 0.4rem 0 0; color: var(--ek-muted); }
.details, .small, figcaption { color: var(--ek-muted); }
nav { margin-top: 2.25rem; font-size: 0.875rem; }
nav a { display: inline-block; margin-right: 1.1rem; padding: 0.15rem 0; color: var(--ek-muted);
  text-decoration: none; border-bottom: 1px solid var(--ek-rule); }
nav a:hover, nav a:focus { color: var(--ek-ink); border-color: currentColor; }
ul.sentences { list-style: none; margin: 2rem 0 0; padding: 0; max-width: 46rem; }
ul.sentences li { position: relative; padding-left: 2.1rem; margin: 0.55rem 0; }
ul.sentences li > b:first-child { position: absolute; left: 0; top: 0.16em; width: 1.3rem; height: 1.3rem;
  border-radius: 50%; font: 700 0.78rem/1.22rem var(--ek-font); text-align: center; border: 1.5px solid; }
h2 + ul.sentences { margin-top: 0; }
ul.findings li { margin: 0 0 1.2rem; }
.verdict { font-size: 1.075rem; }
.good > b:first-child, .tag.good { color: var(--ek-good); }
.note > b:first-child, .tag.note { color: var(--ek-muted); }
.warning > b:first-child, .tag.warning { color: var(--ek-note); }
.tag.accent { color: var(--ek-series-1); }
.bad > b:first-child, .tag.bad { color: var(--ek-bad); }
.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 9.5rem), 1fr));
  gap: 1.5rem 2rem; margin-top: 2.25rem; }
.figures .name { font-size: 0.875rem; color: var(--ek-muted); }
.figures .value { font-size: 1.7rem; line-height: 1.25; font-weight: 600; letter-spacing: -0.015em;
  font-variant-numeric: tabular-nums; }
.figures .unit { font-size: 0.95rem; font-weight: 400; color: var(--ek-muted); letter-spacing: 0; }
.figures .explanation { font-size: 0.8125rem; line-height: 1.4; color: var(--ek-muted); margin-top: 0.15rem; }
.beside { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); gap: 2rem 2.5rem; }
.beside > *, .plots > * { min-width: 0; }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 24rem), 1fr));
  gap: 2.5rem; align-items: start; }
figure { margin: 0; max-width: 34rem; }
figure.wide { max-width: none; }
.plots svg, .beside svg { width: 100%; }
figcaption { margin-top: 0.6rem; font-size: 0.8125rem; line-height: 1.45; max-width: 40rem; }
dl { display: grid; grid-template-columns: minmax(5.5rem, max-content) 1fr; gap: 0.45rem 1.25rem; margin: 0;
  align-content: start; font-size: 0.9375rem; }
dt { color: var(--ek-muted); }
dd { margin: 0; font-variant-numeric: tabular-nums; }
.scroll { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-size: 0.875rem; line-height: 1.4; }
th { text-align: left; font-weight: 500; color: var(--ek-muted); vertical-align: bottom; }
th, td { padding: 0.42rem 1.25rem 0.42rem 0; border-bottom: 1px solid var(--ek-rule); }
th:last-child, td:last-child { padding-right: 0; }
td { vertical-align: top; min-width: 4.5rem; max-width: 24rem; overflow-wrap: break-word; }
.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.number + :not(.number) { padding-left: 0.75rem; }
td strong { font-weight: 650; }
td .tag, li .tag { white-space: nowrap; }
.details { font-size: 0.875rem; }
.tag { font-size: 0.8125rem; font-weight: 600; }
details { margin-top: 0.9rem; }
summary { cursor: pointer; font-size: 0.875rem; color: var(--ek-muted); padding: 0.2rem 0; }
summary:hover { color: var(--ek-ink); }
pre { margin: 0 0 0.5rem; padding: 0.85rem 1rem; overflow-x: auto; background: var(--ek-soft); border-radius: 5px;
  font: 0.8125rem/1.6 var(--ek-mono); tab-size: 4; }
code { font-family: var(--ek-mono); font-size: 0.92em; }
footer { margin-top: 4rem; padding-top: 1rem; border-top: 1px solid var(--ek-rule); font-size: 0.8125rem;
  color: var(--ek-muted); }
@media (max-width: 36rem) {
  main { padding: 2rem 1.1rem 3.5rem; }
  h1 { font-size: 1.5rem; }
  section { margin-top: 2.5rem; padding-top: 1.6rem; }
  .figures { grid-template-columns: 1fr 1fr; gap: 1.25rem; }
  dl { grid-template-columns: 1fr; gap: 0; }
  dt { font-size: 0.8125rem; }
  dd { margin-bottom: 0.7rem; }
  th, td { padding-right: 0.9rem; } }
@media print {
  @page { margin: 16mm; }
  html { font-size: 12.5px; }
  body { font-size: 1rem; background: none; }
  .plots, .beside { grid-template-columns: 1fr 1fr; gap: 1.5rem; }
  main { max-width: none; padding: 0; }
  nav { display: none; }
  section { margin-top: 1.5rem; padding-top: 1rem; }
  h2, h3, summary { break-after: avoid; }
  figure, tr, li, pre, .figures > div { break-inside: avoid; }
  details::details-content { content-visibility: visible; block-size: auto; }
  pre { white-space: pre-wrap; border: 1px solid var(--ek-rule); } }
"""
