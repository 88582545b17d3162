/** Of the report: light and dark as the reader's system has it, one column on a phone. */
export const STYLE = `
:root { color-scheme: light dark; --page: #f7f7f5; --card: #fff; --ink: #1b1b1a; --soft: #5d5c58; --rule: #e1e0da;
  --s0: #2a6fc9; --s1: #c9541f; --s2: #0d8a5f; --good: #0b7a4b; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --page: #151514; --card: #1f1f1d; --ink: #f0efea; --soft: #b0aea6;
  --rule: #383733; --s0: #6aa5f0; --s1: #f08a55; --s2: #3fbf8f; --good: #57c795; --bad: #ff8a80; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 76rem; padding: 1.5rem 1rem 4rem; background: var(--page); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.8rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: 1.25rem; margin: 2.2rem 0 .8rem; }
h3 { font-size: 1rem; margin: 0 0 .3rem; }
p { margin: 0 0 .6rem; max-width: 46rem; }
.verdict { font-weight: 600; }
.held { color: var(--good); }
.broken { color: var(--bad); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr)); gap: .8rem; margin: 1.2rem 0 0; }
.tiles div, figure { background: var(--card); border: 1px solid var(--rule); border-radius: .6rem; padding: .8rem 1rem; }
dt { color: var(--soft); font-size: .9rem; }
dd { margin: 0; font-size: 1.5rem; font-weight: 600; line-height: 1.3; }
dd.more { font-size: .85rem; font-weight: 400; color: var(--soft); }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 30rem), 1fr)); gap: .8rem; }
figure { margin: 0; display: flex; flex-direction: column; }
svg { width: 100%; height: auto; margin-top: auto; }
figcaption { font-size: .85rem; color: var(--soft); }
.grid { stroke: var(--rule); }
.axis { stroke: var(--soft); }
.tick, .label { fill: var(--soft); font-size: 11px; }
@media (max-width: 40rem) { .tick, .label { font-size: 17px; } }
.line { fill: none; stroke: var(--c); stroke-width: 2; stroke-linejoin: round; }
.dots { fill: none; stroke: var(--c); stroke-width: 4; stroke-linecap: round; opacity: .55; }
.s0 { --c: var(--s0); } .s1 { --c: var(--s1); } .s2 { --c: var(--s2); }
.s1.line { stroke-dasharray: 7 3; } .s2.line { stroke-dasharray: 2 3; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 0 1rem; padding: 0; margin: 0; font-size: .85rem; }
.legend li::before { content: ''; display: inline-block; width: 1.1rem; border-top: 3px solid var(--c); margin-inline-end: .4rem;
  vertical-align: middle; }
.legend li.s1::before { border-top-style: dashed; } .legend li.s2::before { border-top-style: dotted; }
table { border-collapse: collapse; }
th { text-align: start; font-weight: 500; white-space: nowrap; vertical-align: top; }
td, th { border-top: 1px solid var(--rule); padding: .35rem .9rem .35rem 0; }
.numbers { font-size: .9rem; font-variant-numeric: tabular-nums; }
pre { white-space: pre-wrap; background: var(--card); border: 1px solid var(--rule); border-radius: .6rem; padding: .8rem 1rem; }
li { max-width: 56rem; margin-bottom: .4rem; }
`
