// The style sheet of the page, light and dark. It refers to nothing outside the page.

/** CSS. */
export const style = `
:root { color-scheme: light dark;
  --ground: #f6f7f9; --card: #ffffff; --ink: #1b2027; --soft: #5a6472; --rule: #dde1e7; --shade: #eef0f4;
  --s0: #2563b0; --s1: #c2571a; --s2: #7a4fb5; --s3: #b4236b; --fit: #12806a;
  --leak: #b3261e; --leak-ground: #fdecea; --doubt: #8a5a00; --doubt-ground: #fff4dc; --clean: #1a6b3c; --clean-ground: #e5f5ea; }
@media (prefers-color-scheme: dark) { :root {
  --ground: #12151a; --card: #1b2027; --ink: #e7eaef; --soft: #9aa4b2; --rule: #323a45; --shade: #242a33;
  --s0: #6ea8f7; --s1: #f0995c; --s2: #b79af0; --s3: #f282b4; --fit: #54c9ab;
  --leak: #ff8a80; --leak-ground: #3b1c1a; --doubt: #f2c25b; --doubt-ground: #36290d; --clean: #74d39b; --clean-ground: #15301f; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
main { max-width: 1260px; margin: 0 auto; padding: 28px 20px 60px; }
h1 { font-size: 22px; margin: 0; } h2 { font-size: 17px; margin: 34px 0 10px; } h3 { font-size: 14px; margin: 0; overflow-wrap: anywhere; }
.verdict { border-radius: 10px; padding: 18px 22px; border-left: 6px solid; }
.verdict p { margin: 6px 0 0; max-width: 95ch; overflow-wrap: anywhere; }
.verdict.leak, .verdict.failed { background: var(--leak-ground); border-color: var(--leak); } .verdict.leak h1, .verdict.failed h1 { color: var(--leak); }
.verdict pre { margin: 8px 0 0; font-size: 12.5px; white-space: pre-wrap; overflow-wrap: anywhere; }
.verdict.undecided { background: var(--doubt-ground); border-color: var(--doubt); } .verdict.undecided h1 { color: var(--doubt); }
.verdict.clean { background: var(--clean-ground); border-color: var(--clean); } .verdict.clean h1 { color: var(--clean); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 10px; margin: 14px 0 0; padding: 0; }
.tiles div { background: var(--card); border: 1px solid var(--rule); border-radius: 8px; padding: 10px 14px; }
.tiles dt { color: var(--soft); font-size: 12.5px; } .tiles dd { margin: 0; font-size: 17px; font-weight: 600; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.wide { overflow-x: auto; background: var(--card); border: 1px solid var(--rule); border-radius: 8px; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th, td { text-align: left; padding: 7px 12px; border-top: 1px solid var(--rule); vertical-align: top; overflow-wrap: break-word; }
tr:first-child > th { border-top: 0; } td:nth-child(7) { min-width: 280px; } th { color: var(--soft); font-weight: 600; font-size: 12.5px; white-space: nowrap; }
td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; } th.number { text-align: right; }
.badge { display: inline-block; border-radius: 999px; padding: 0 9px; font-size: 12px; font-weight: 600; white-space: nowrap; }
.badge.leak { background: var(--leak-ground); color: var(--leak); } .badge.doubt, .badge.warning { background: var(--doubt-ground); color: var(--doubt); }
.badge.quiet { background: var(--shade); color: var(--soft); }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 360px), 1fr)); gap: 12px; }
figure { margin: 0; background: var(--card); border: 1px solid var(--rule); border-radius: 8px; padding: 10px 12px 6px; min-width: 0; }
figure.leak { border-color: var(--leak); } figure.doubt, figure.warning { border-color: var(--doubt); }
figcaption { display: flex; gap: 8px; align-items: baseline; justify-content: space-between; }
.legend { color: var(--soft); font-size: 12.5px; display: flex; gap: 12px; flex-wrap: wrap; min-height: 19px; }
.legend i { display: inline-block; width: 14px; height: 3px; border-radius: 2px; vertical-align: middle; margin-right: 5px; }
.legend .s0 { background: var(--s0); } .legend .s1 { background: var(--s1); } .legend .s2 { background: var(--s2); } .legend .s3 { background: var(--s3); }
svg.plot { display: block; width: 100%; height: auto; touch-action: pan-y; } svg.spark { width: 100px; height: 12px; display: block; margin-top: 6px; }
.warmup { fill: var(--shade); } .grid { stroke: var(--rule); stroke-width: 1; } .tick { fill: var(--soft); font-size: 10.5px; font-variant-numeric: tabular-nums; }
.line { fill: none; stroke-width: 1.8; stroke-linejoin: round; } .s0 { stroke: var(--s0); } .s1 { stroke: var(--s1); stroke-dasharray: 7 4; } .s2 { stroke: var(--s2); stroke-dasharray: 2 3; } .s3 { stroke: var(--s3); stroke-dasharray: 9 3 2 3; }
.base { stroke: var(--soft); stroke-dasharray: 3 4; } .fit { fill: none; stroke: var(--fit); stroke-width: 1.6; stroke-dasharray: 6 4; }
.since { stroke-width: 1.5; } .since.leak { stroke: var(--leak); } .since.doubt, .since.warning { stroke: var(--doubt); }
.definitions { position: absolute; } .cursor { stroke: var(--soft); } .zero { stroke: var(--soft); } .limit { stroke: var(--leak); stroke-dasharray: 3 3; } .span { stroke: var(--s0); stroke-width: 3; } .mark { fill: var(--s0); }
.interval { width: 220px; height: 22px; display: block; } .axis { stroke: var(--rule); }
#tip { position: fixed; pointer-events: none; background: var(--ink); color: var(--ground); border-radius: 6px; padding: 5px 9px; font-size: 12.5px; white-space: pre; z-index: 2; font-variant-numeric: tabular-nums; }
#tip[hidden] { display: none; }
details { margin-top: 12px; } summary { cursor: pointer; color: var(--soft); }
.still { columns: 3 300px; margin: 8px 0 0; padding: 0; list-style: none; font-size: 13px; } .still li { display: flex; gap: 10px; break-inside: avoid; padding: 1px 0; }
.still span { flex: 1; overflow-wrap: anywhere; } .still b { font-variant-numeric: tabular-nums; font-weight: 600; }
.key { color: var(--soft); font-size: 13px; margin: 0 0 10px; }
footer { color: var(--soft); font-size: 13px; margin-top: 34px; } code { font-size: 12.5px; overflow-wrap: anywhere; }
@media print { body { background: none; } figure, tr { break-inside: avoid; } }
`;
