"""The look of the report: one style sheet, light, dark and on paper. Nothing is formatted in."""

STYLE = """
:root { color-scheme: light dark;
  --page: light-dark(#FFFFFF, #14181A); --ink: light-dark(#1B2124, #E6EAEB);
  --muted: light-dark(#566067, #A3AEB4); --line: light-dark(#DFE3E4, #2D3437);
  --raise: light-dark(#F1F3F3, #1D2224); --accent: light-dark(#0B6B66, #5CC4BA);
  --rest: light-dark(#B4BFC3, #566067); --warn: light-dark(#8A5A00, #E8B65A);
  --err: light-dark(#B3261E, #FF8A80); --text: light-dark(#0B5CAD, #6CB2F5);
  --table: light-dark(#9A5200, #F0A85A); --figure: light-dark(#B0307E, #EE8CC4);
  --other: light-dark(#2E373C, #D9DFE2); }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 400 14px/1.6 Inter, system-ui,
  -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif; }
main { max-width: 1144px; margin: 0 auto; padding: 48px 48px 64px; }
h1 { font: 600 28px/1.25 'Source Serif 4', 'Source Serif', Georgia, 'Times New Roman', serif;
  margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 13px; line-height: 1.4; font-weight: 600; margin: 0 0 4px; }
p { margin: 0; } .muted, .note { color: var(--muted); font-size: 13px; line-height: 1.4; }
.lead { color: var(--muted); font-size: 16px; margin-top: 4px; }
section { margin-top: 48px; } .note { margin-bottom: 12px; }
.strip { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr));
  border: 1px solid var(--line); border-radius: 8px; margin: 24px 0 0; overflow: hidden; }
.strip div { padding: 12px 16px; box-shadow: -1px -1px 0 var(--line); }
.strip dt { color: var(--muted); font-size: 13px; line-height: 1.4; }
.strip dd { margin: 2px 0 0; font-size: 22px; font-weight: 600; line-height: 1.3;
  font-variant-numeric: tabular-nums; }
.strip small { font-size: 13px; font-weight: 400; color: var(--muted); white-space: nowrap; }
.plots { display: grid; grid-template-columns: 4fr 3fr; gap: 48px; }
svg { display: block; width: 100%; height: auto; font: 400 12px Inter, system-ui, sans-serif;
  font-variant-numeric: tabular-nums; }
svg text { fill: var(--ink); } svg .axis { fill: var(--muted); }
svg .grid { stroke: var(--line); stroke-width: 1; } svg .range { stroke: var(--accent);
  stroke-width: 2; } svg .dot, svg .bar { fill: var(--accent); } svg .late { fill: var(--rest); }
svg .open { fill: var(--page); stroke: var(--muted); stroke-width: 1.5; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 14px; line-height: 1.4; }
th { text-align: left; font-size: 13px; font-weight: 500; color: var(--muted); }
th, td { padding: 9px 16px 9px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td { overflow-wrap: anywhere; min-width: 88px; } td:last-child, th:last-child { padding-right: 0; }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap;
  overflow-wrap: normal; } .n small { color: var(--muted); }
td:first-child { overflow-wrap: break-word; min-width: 120px; }
.small td { color: var(--muted); font-size: 13px; } td.q { min-width: 240px; }
.kind { white-space: nowrap; font-size: 13px; } .kind::before { content: ''; display: inline-block;
  width: 9px; height: 9px; margin-right: 6px; border-radius: 2px; border: 2px solid currentColor; }
.k-text { color: var(--text); } .k-text::before { border-style: dotted; }
.k-table { color: var(--table); } .k-figure { color: var(--figure); }
.k-figure::before { background: currentColor; } .k-other { color: var(--other); }
.badge { display: inline-block; white-space: nowrap; border: 1px solid currentColor;
  border-radius: 999px; padding: 1px 9px; font-size: 12px; font-weight: 500; }
.warn { color: var(--warn); } .err { color: var(--err); }
.terms { display: grid; grid-template-columns: max-content 1fr; gap: 4px 24px; margin: 8px 0 0;
  font-size: 13px; } .terms dt { color: var(--muted); } .terms dd { margin: 0;
  overflow-wrap: anywhere; }
@media (max-width: 800px) { main { padding: 24px 18px; } .plots { grid-template-columns: 1fr; }
  .terms { grid-template-columns: 1fr; gap: 0; } .terms dd { margin-bottom: 8px; } }
@page { margin: 16mm; }
@media print { :root { color-scheme: light; } main { max-width: none; padding: 0; }
  body { font-size: 11px; } section { margin-top: 24px; } table, .terms { font-size: 11px; }
  .plots { grid-template-columns: 4fr 3fr; gap: 24px; } td, th { padding: 5px 12px 5px 0; }
  .strip { grid-template-columns: repeat(auto-fit, minmax(96px, 1fr)); }
  .strip dd { font-size: 16px; } .strip small { white-space: normal; }
  .terms { grid-template-columns: max-content 1fr; gap: 2px 16px; }
  .plots, tr, .strip { break-inside: avoid; }
  h2 { break-after: avoid; } thead { display: table-header-group; }
  .bar, .dot, .kind::before { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
"""
