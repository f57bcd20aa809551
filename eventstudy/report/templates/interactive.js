"use strict";
const dark = matchMedia("(prefers-color-scheme: dark)"), chooser = document.getElementById("window");
const options = {responsive: true, displayModeBar: false};
const color = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
// Colours stand in the data as "var(--name)", with two digits of opacity behind where they are not opaque.
const figures = () => JSON.parse(document.getElementById("data").textContent
  .replace(/"var\((--[a-z]+)\)([0-9a-f]{2})?"/g, (_, name, opacity) => JSON.stringify(color(name) + (opacity || ""))));

function layout(traces, more) {
  const axis = {gridcolor: color("--grid"), zerolinecolor: color("--ink"), automargin: true};
  const named = traces.filter(trace => trace.showlegend !== false).length, narrow = innerWidth < 760;
  const base = {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", hovermode: "closest",
    font: {family: color("--sans"), size: 13, color: color("--ink")},
    hoverlabel: {bgcolor: color("--panel"), bordercolor: color("--rule"), font: {color: color("--ink")}, align: "left"},
    showlegend: true, legend: {orientation: narrow ? "v" : "h", x: 0, y: 1, yref: "container", yanchor: "top"},
    margin: {l: 48, r: 16, t: narrow ? 32 + 22 * named : 64, b: 40},
  };
  return {...base, ...more, xaxis: {...axis, ...more.xaxis}, yaxis: {...axis, ...more.yaxis}};
}

function draw() {
  const {paths, forest} = figures(), shown = forest[Number(chooser.value)], rows = shown.labels.length;
  Plotly.react("paths", paths, layout(paths, {
    height: 480, xaxis: {dtick: innerWidth < 760 ? 5 : 2, zeroline: false, title: {text: "day"}},
    shapes: [{type: "line", x0: 0, x1: 0, y0: 0, y1: 1, yref: "paper", line: {color: color("--muted"), width: 1, dash: "dash"}}],
  }), options);
  Plotly.react("forest", shown.traces, layout(shown.traces, {
    height: 140 + 19 * rows, xaxis: {side: "top"},
    yaxis: {range: [rows - 0.4, -0.6], tickvals: shown.labels.map((_, i) => i), ticktext: shown.labels, tickfont: {size: 12}, zeroline: false, showgrid: false},
  }), options);
  document.getElementById("said").textContent = `${rows} events have all days of ${chooser.selectedOptions[0].text}.`;
}

chooser.addEventListener("input", draw);
dark.addEventListener("change", draw);
draw();
