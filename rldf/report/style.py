"""The look of a report: one style sheet, inlined into the page."""

CSS = """
:root {
  color-scheme: light dark;
  --paper: #f7f7f5; --card: #ffffff; --ink: #1f2127; --faint: #646978; --line: #e3e4e8;
  --best: #9a6700; --goal: #1a7f4b; --best-wash: #fdf3da; --goal-wash: #dff5e8;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #131418; --card: #1c1e24; --ink: #e9eaee; --faint: #9a9fae; --line: #2d3038;
    --best: #f6be42; --goal: #58c88c; --best-wash: #3a2f14; --goal-wash: #15342a;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
main { max-width: 68rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
h1 {
  margin: 0; font-size: clamp(1.5rem, 1rem + 2.4vw, 2.6rem); line-height: 1.2;
  font-weight: 650; text-wrap: balance; overflow-wrap: anywhere;
}
h2 { margin: 3rem 0 1rem; font-size: 1.15rem; font-weight: 650; }
p { margin: .35rem 0; }
a { color: inherit; }
img { display: block; max-width: 100%; height: auto; border-radius: 8px; }
code, pre { font: .86em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.faint { color: var(--faint); }
.small { font-size: .9rem; }
.hero { display: grid; grid-template-columns: minmax(0, 1.15fr) minmax(0, 1fr); gap: 2.5rem;
  align-items: center; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem; }
figure { margin: 0; }
.pair img { width: 100%; aspect-ratio: 1; object-fit: contain; background: var(--card); }
figcaption { margin-top: .4rem; color: var(--faint); font-size: .9rem; overflow-wrap: anywhere; }
.facts { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr));
  gap: .75rem 1.25rem; margin: 1.5rem 0 0; }
.facts dt { color: var(--faint); font-size: .85rem; }
.facts dd { margin: 0; font-size: 1.2rem; font-weight: 600; font-variant-numeric: tabular-nums; }
.mark { display: inline-block; padding: .05rem .55rem; border-radius: 1rem; font-size: .8rem;
  font-weight: 650; vertical-align: .1em; }
.mark.best { color: var(--best); background: var(--best-wash); }
.mark.goal { color: var(--goal); background: var(--goal-wash); }
.pairs { display: grid; grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr));
  gap: 1rem; }
.scroll { overflow-x: auto; border-radius: 10px; }
.curves { background: #fff; padding: .75rem; border: 1px solid var(--line); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  overflow-x: auto; }
table { width: 100%; border-collapse: collapse; }
th, td { padding: .5rem .9rem; text-align: left; border-top: 1px solid var(--line);
  overflow-wrap: anywhere; }
thead th { border-top: 0; color: var(--faint); font-size: .85rem; font-weight: 500; }
.plain tr:first-child > * { border-top: 0; }
.plain th { width: 11rem; color: var(--faint); font-weight: 500; vertical-align: top; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.thumb { width: 5.2rem; padding-right: 0; }
td.thumb img { width: 4.3rem; height: 4.3rem; object-fit: cover; }
details { margin-top: 1rem; }
summary { cursor: pointer; padding: .4rem 0; font-weight: 600; }
@media (max-width: 46rem) {
  main { padding-top: 1.5rem; }
  .hero { grid-template-columns: 1fr; gap: 1.5rem; }
  .wide { display: none; }
  .scroll img { max-width: none; }
  .curves img { width: 42rem; }
  th, td { padding: .45rem .6rem; }
  .plain th { width: 7.5rem; }
}
@media print { .card, .curves { break-inside: avoid; } }
""".strip()
