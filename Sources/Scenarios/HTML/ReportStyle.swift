/// The report's style sheet. Colours are named once, for light and for dark.
enum ReportStyle {
  static let css = colours + layout + pictures

  private static let colours = #"""
    :root {
      color-scheme: light dark;
      --paper: #fbf8f3; --card: #ffffff; --ink: #231c26; --soft: #6a6070; --line: #e4dcd3; --faint: #f1ebe3;
      --won: #c98a12; --won-text: #8a5a00; --refused: #b4a9b8; --held: #4b93a8; --bad: #c2352b; --bad-wash: #fdeeec; --error: #a0237a;
      --good: #2c7a4b; --good-wash: #eaf5ee; --before: #d9d0dc; --bar: #7d6a8c; --slow: #c9bcd2;
      --display: "Iowan Old Style", "Palatino Linotype", Palatino, P052, "URW Palladio L", Georgia, "Times New Roman", serif;
      --text: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif;
      --mono: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
    }
    @media (prefers-color-scheme: dark) {
      :root {
        --paper: #16131a; --card: #1f1b25; --ink: #f1eaf2; --soft: #a99fb0; --line: #38313f; --faint: #28232e;
        --won: #f4b740; --won-text: #f4c560; --refused: #6d6276; --held: #5cb3cb; --bad: #ff7468; --bad-wash: #3a1d1e; --error: #ff85d2;
        --good: #6fce96; --good-wash: #1a2f23; --before: #453c4d; --bar: #a48fb8; --slow: #5f5370;
      }
    }

    """#

  private static let layout = #"""
    * { box-sizing: border-box; }
    body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 var(--text);
      font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
    main, footer { max-width: 1080px; margin: 0 auto; padding: 0 clamp(16px, 4vw, 40px); }
    h1, h2, .headline { font-family: var(--display); font-weight: 600; line-height: 1.15; text-wrap: balance; }
    h1 { font-size: clamp(2rem, 5.5vw, 3.4rem); margin: 0 0 1.6rem; letter-spacing: -.01em; }
    h2 { font-size: 1.55rem; margin: 0 0 1rem; }
    section { margin: 3.2rem 0; }
    code { font: .9em var(--mono); background: var(--faint); padding: .1em .35em; border-radius: 4px; }
    a { color: inherit; }
    time { white-space: nowrap; }
    :focus-visible { outline: 2px solid var(--won); outline-offset: 3px; }
    header { padding-top: clamp(28px, 6vw, 64px); }
    .kicker { margin: 0 0 .7rem; color: var(--soft); font-size: .82rem; letter-spacing: .09em; text-transform: uppercase; }
    .kicker span::before, .kicker span::after { content: " · "; }
    .verdict { display: flex; gap: clamp(14px, 3vw, 28px); align-items: center; padding: clamp(18px, 3vw, 30px);
      border-radius: 18px; background: var(--good-wash); border: 1px solid color-mix(in srgb, var(--good) 35%, transparent); }
    .failed .verdict { background: var(--bad-wash); border-color: color-mix(in srgb, var(--bad) 40%, transparent); }
    .seal { flex: none; display: grid; place-items: center; width: clamp(56px, 9vw, 88px); aspect-ratio: 1;
      border-radius: 50%; background: var(--good); color: var(--card); font-size: clamp(1.9rem, 5vw, 3rem); line-height: 1; }
    .failed .seal { background: var(--bad); }
    .headline { margin: 0; font-size: clamp(1.45rem, 4vw, 2.35rem); }
    .kept { margin: .35rem 0 0; color: var(--good); font-weight: 600; }
    .failed .kept { color: var(--bad); }
    .failure { margin: 1rem 0 0; padding: clamp(16px, 3vw, 26px); border-radius: 18px; background: var(--card);
      border: 1px solid var(--line); border-left: 6px solid var(--bad); }
    .failure h2 { font-size: 1.25rem; margin-bottom: .6rem; }
    .failure p { margin: .4rem 0; }
    .failure .what a { font: 600 .95em var(--mono); color: var(--bad); margin-right: .4em; }
    .when { font: 400 .9rem var(--text); color: var(--soft); margin-left: .5em; }
    .control { color: var(--soft); font-size: .92rem; }
    .tiles { display: grid; grid-template-columns: repeat(4, 1fr); margin: 1.6rem 0 0;
      background: var(--card); border: 1px solid var(--line); border-radius: 18px; overflow: hidden; }
    .tile { display: flex; flex-direction: column-reverse; justify-content: flex-end; padding: 16px 18px; box-shadow: 1px 1px 0 var(--line); }
    @media (max-width: 640px) { .tiles { grid-template-columns: repeat(2, 1fr); } }
    .tile dt { order: 1; }
    .tile dd { margin: 0; display: contents; }
    .tile dd b { order: 2; font: 600 1.85rem/1.1 var(--display); }
    .tile dt { font-weight: 600; }
    .tile dd span { order: 0; color: var(--soft); font-size: .84rem; line-height: 1.35; }
    .tile.won b { color: var(--won-text); }
    .tile.error b, .tile.error dt { color: var(--bad); }
    .story { display: grid; grid-template-columns: minmax(0, 1.65fr) minmax(0, 1fr); gap: clamp(24px, 5vw, 56px); }
    .story p, .story li { font: 1.08rem/1.65 var(--display); max-width: 62ch; }
    .story p { margin: 0 0 1em; }
    .story aside { align-self: start; padding: 20px 22px; border: 1px solid var(--line); border-radius: 18px; background: var(--card); }
    .story aside h2 { font-size: 1.15rem; margin-bottom: .7rem; }
    .story dl { margin: 0; font-size: .92rem; }
    .story dt { color: var(--soft); font-size: .8rem; }
    .story dd { margin: 0 0 .6rem; }
    .story dd:last-child { margin: 0; }
    @media (max-width: 720px) { .story { grid-template-columns: minmax(0, 1fr); } section { margin: 2.4rem 0; } }
    .invariants { list-style: none; margin: 0; padding: 0; border: 1px solid var(--line); border-radius: 18px; background: var(--card); overflow: hidden; }
    .invariants > li { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: 14px; padding: 16px 20px; border-top: 1px solid var(--line); }
    .invariants > li:first-child { border-top: 0; }
    .invariants > li.broken { background: var(--bad-wash); }
    .invariants > li:target { box-shadow: inset 0 0 0 2px var(--bad); }
    .mark { display: grid; place-items: center; width: 26px; height: 26px; border-radius: 50%; font-size: .9rem;
      background: var(--good-wash); color: var(--good); }
    .broken .mark { background: var(--bad); color: var(--card); }
    .invariants h3 { margin: 0; font: 600 .95rem/1.7 var(--mono); }
    .invariants p { margin: .1rem 0; }
    .statement { color: var(--soft); font-size: .92rem; }
    .findings { list-style: none; margin: .5rem 0 0; padding: 0; display: grid; gap: .15rem; font-size: .9rem; }
    .findings b { font-weight: 600; margin-right: .35em; color: var(--good); }
    .findings .broken b { color: var(--bad); }
    details { margin-top: .7rem; }
    summary { cursor: pointer; color: var(--soft); font-size: .9rem; }
    .scroll { overflow-x: auto; }
    table { border-collapse: collapse; font-size: .88rem; margin: .6rem 0; }
    th, td { text-align: left; padding: 5px 18px 5px 0; border-bottom: 1px solid var(--line); vertical-align: top; font-weight: 400; overflow-wrap: normal; }
    thead th { color: var(--soft); font-size: .8rem; white-space: nowrap; }
    .numbers { width: 100%; }
    .numbers td, .numbers thead th:not(:first-child) { text-align: right; padding: 6px 0 6px 18px; white-space: nowrap; }
    .note, .more { color: var(--soft); font-size: .86rem; }
    footer { color: var(--soft); font-size: .84rem; padding-bottom: 40px; }
    @media print { .failure, .tiles, .invariants > li, figure { break-inside: avoid; } }

    """#

  private static let pictures = #"""
    figure { margin: 0 0 1.6rem; }
    .chart, .house { position: relative; padding: 20px clamp(14px, 2.5vw, 26px); border: 1px solid var(--line);
      border-radius: 18px; background: var(--card); }
    figcaption { margin-bottom: .8rem; }
    figcaption span, .part { color: var(--soft); font-size: .88rem; }
    .part { margin: 1rem 0 .4rem; }
    .plot { position: relative; }
    .plot svg { display: block; width: 100%; overflow: visible; }
    .grid { stroke: var(--line); stroke-width: 1; vector-effect: non-scaling-stroke; }
    .won { fill: var(--won); background: var(--won); }
    .again { fill: var(--bad); background: var(--bad); }
    .held { fill: var(--held); background: var(--held); }
    .refused { fill: var(--refused); background: var(--refused); }
    .error { fill: var(--error); background: var(--error); }
    .tile.won, .tile.error { background: none; }
    .legend { display: flex; flex-wrap: wrap; gap: .3rem 1.1rem; list-style: none; margin: 0; padding: 0; color: var(--soft); font-size: .86rem; }
    .legend i { display: inline-block; width: 12px; height: 12px; margin-right: .45em; border-radius: 3px; vertical-align: -1px; }
    .lanes { cursor: crosshair; }
    .lanes g.on rect { stroke: var(--ink); stroke-width: 2; vector-effect: non-scaling-stroke; }
    .name { position: absolute; font-size: 12px; line-height: 16px; white-space: nowrap; pointer-events: none; }
    .moment { position: absolute; bottom: 0; border-left: 1.5px dashed var(--soft); pointer-events: none; z-index: 1; }
    .moment.first { border-color: var(--won); }
    .moment b { position: absolute; top: 0; left: 0; border-radius: 0 20px 20px 0; padding: 1px 8px; background: var(--card); border: 1px solid var(--line);
      font: 600 12px/18px var(--text); white-space: nowrap; max-width: 60vw; overflow: hidden; text-overflow: ellipsis; }
    .moment.left b { left: auto; right: 0; border-radius: 20px 0 0 20px; }
    .moment.first b { color: var(--won-text); border-color: var(--won); }
    .axis { position: relative; height: 22px; margin-top: 6px; }
    .tick { position: absolute; transform: translateX(-50%); color: var(--soft); font-size: 12px; white-space: nowrap; }
    .tick.first { transform: none; } .tick.last { transform: translateX(-100%); }
    @media (max-width: 520px) { .tick:nth-child(even) { display: none; } }
    .tip { position: fixed; top: 0; left: 0; z-index: 2; margin: 0; max-width: min(420px, calc(100vw - 16px)); padding: 8px 12px; border-radius: 10px;
      background: var(--ink); color: var(--paper); font-size: .86rem; line-height: 1.45; white-space: pre-line; pointer-events: none; }
    .charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 420px), 1fr)); gap: 16px; }
    .charts figure { margin: 0; }
    .latency:first-child { grid-column: 1 / -1; }
    .latency .plot { padding-top: 84px; }
    .bar { fill: var(--bar); } .bar.slow { fill: var(--slow); }
    .markers { position: absolute; inset: 0; pointer-events: none; }
    .marker { position: absolute; bottom: 0; border-left: 1px solid var(--soft); }
    .m0 { top: 0; } .m1 { top: 20px; } .m2 { top: 40px; } .m3 { top: 60px; }
    .marker b { position: absolute; left: 5px; top: 0; padding-right: 3px; background: var(--card); font: 600 12px/16px var(--text); white-space: nowrap; }
    .marker.left b { left: auto; right: 5px; }
    .house svg { display: block; width: 100%; margin: 0 auto 1rem; }
    .house .legend { justify-content: center; }
    .stage { fill: none; stroke: var(--soft); stroke-width: 1.5; }
    .house text { fill: var(--soft); font: 8px var(--text); text-anchor: middle; }
    .seat rect { fill: none; stroke: var(--refused); stroke-width: 1; }
    .seat.sold-before rect { fill: var(--before); stroke: none; }
    .seat.sold rect { fill: var(--won); stroke: none; }
    .seat.held rect { fill: var(--held); stroke: none; }
    .seat.oversold rect { fill: var(--bad); stroke: none; }
    .house text.times { fill: var(--card); font-weight: 700; }
    i.sold-before { background: var(--before); } i.sold { background: var(--won); } i.oversold { background: var(--bad); }
    i.free { border: 1px solid var(--refused); }

    """#
}
