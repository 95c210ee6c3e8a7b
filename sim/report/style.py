"""How the page looks: one column, plots side by side where there is room, light or dark as the reader's system."""

from __future__ import annotations

from typing import Final

from sim.report import chart

CSS: Final = (
    chart.PALETTE
    + chart.STYLE
    + """
:root { --warn: #8a3b00; --warn-paper: #fff1dc; --bad: #a3182c; --bad-paper: #ffe9ec;
  --good: #1b6b47; --good-paper: #e6f5ec }
@media (prefers-color-scheme: dark) { :root { --warn: #ffc98f; --warn-paper: #3a2710; --bad: #ffa6b1;
  --bad-paper: #421820; --good: #8fdcb4; --good-paper: #123324 } }
* { box-sizing: border-box }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif }
main { max-width: 1080px; margin: 0 auto; padding: 24px 20px 60px }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 4px; overflow-wrap: anywhere }
h2 { font-size: 1.25rem; margin: 40px 0 10px } h3 { font-size: 1rem; margin: 0 0 2px; overflow-wrap: anywhere }
p { margin: 0 0 10px; max-width: 70ch } .kicker, .soft { color: var(--soft) } .kicker { margin: 0 0 4px }
.note { padding: 10px 14px; border-radius: 8px; border-left: 5px solid; margin: 14px 0; max-width: none }
.note b { margin-right: 6px }
.warn { background: var(--warn-paper); color: var(--warn); border-color: var(--warn) }
.good { background: var(--good-paper); color: var(--good); border-color: var(--good) }
.bad { background: var(--bad-paper); color: var(--bad); border-color: var(--bad) }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 18px; margin: 0 0 14px }
dt { color: var(--soft) } dd { margin: 0; overflow-wrap: anywhere }
pre { background: var(--shade); padding: 10px 14px; border-radius: 8px; margin: 0 0 14px; white-space: pre-wrap;
  overflow-wrap: anywhere; font-size: 0.88rem }
.wide { overflow-x: auto; margin: 0 0 14px }
table { border-collapse: collapse; font-size: 0.92rem } caption { text-align: left; font-weight: 600; padding: 4px 0 }
th, td { padding: 5px 18px 5px 0; border-bottom: 1px solid var(--rule); text-align: left; vertical-align: top }
th { color: var(--soft); font-weight: 500 } tbody th { color: var(--ink); min-width: 220px }
th .soft { font-weight: 400; font-size: 0.9em }
.number { text-align: right; white-space: nowrap }
td.number { font-variant-numeric: tabular-nums }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 440px), 1fr)); gap: 34px 40px }
figure { margin: 0; min-width: 0 } figure p { font-size: 0.92rem; color: var(--soft) }
summary { cursor: pointer; color: var(--soft); padding: 4px 0 } a { color: var(--c0) }
details .wide { max-height: 360px; overflow-y: auto }
footer { margin-top: 48px; color: var(--soft); font-size: 0.92rem; border-top: 1px solid var(--rule);
  padding-top: 14px }
@media (max-width: 520px) { main { padding: 16px 14px 40px } h1 { font-size: 1.5rem }
  dl { grid-template-columns: 1fr; gap: 0 } dd { margin-bottom: 8px } th, td { padding-right: 12px } }
@media print { details .wide { max-height: none } }
"""
)
