"use strict";
const dark = matchMedia("(prefers-color-scheme: dark)"), phone = matchMedia("(max-width: 760px)"), chooser = document.getElementById("window");
const options = {responsive: true, displayModeBar: false};
const color = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
// Colours stand in the data as "var(--name)", with two digits of opacity behind where they are not opaque.
const figures = () => JSON.parse(document.getElementById("data").textContent
  .replace(/"var\((--[a-z]+)\)([0-9a-f]{2})?"/g, (_, name, opacity) => JSON.stringify(color(name) + (opacity || ""))));
const plain = text => text.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");
const safe = text => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
const cut = (text, most) => plain(text).length > most ? safe(plain(text).slice(0, most - 1) + "…") : text;

// The legend stands above the plot, whose height it does not take.
function legend(traces, width) {
  const named = traces.filter(trace => trace.showlegend !== false);
  const longest = Math.max(...named.map(trace => plain(trace.name).length));
  return 20 + 22 * Math.ceil(named.length / (phone.matches ? 1 : Math.max(1, Math.floor(width / (7.5 * longest + 56)))));
}

function layout(id, traces, height, more) {
  const place = document.getElementById(id), unit = place.dataset.unit, top = legend(traces, place.clientWidth) + (more.top || 0);
  const axis = {gridcolor: color("--grid"), zerolinecolor: color("--ink"), automargin: !phone.matches, tickangle: 0};
  const values = {ticksuffix: unit, rangemode: "tozero"};
  return {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", hovermode: "closest", height: height + top,
    font: {family: color("--sans"), size: 13, color: color("--ink")},
    hoverlabel: {bgcolor: color("--panel"), bordercolor: color("--rule"), font: {color: color("--ink")}, align: "left"},
    showlegend: true, legend: {orientation: "h", ...(phone.matches ? {entrywidth: 1, entrywidthmode: "fraction"} : {}), x: 0, xref: "container", xanchor: "left", y: 1, yref: "container", yanchor: "top"},
    margin: {l: more.left || 52, r: 12, t: top, b: 40}, shapes: more.shapes || [],
    xaxis: {...axis, ...(more.across ? values : {}), ...more.xaxis}, yaxis: {...axis, ...(more.across ? {} : values), ...more.yaxis},
  };
}

function show(id, traces, look, said) {
  const named = phone.matches ? traces.map(trace => ({...trace, name: trace.name && cut(trace.name, 36)})) : traces;
  Plotly.react(id, named, look, options);
  const [picture, ...others] = document.querySelectorAll(`#${id} svg.main-svg`);
  picture.setAttribute("role", "img");
  picture.setAttribute("aria-label", said);
  others.forEach(other => other.setAttribute("aria-hidden", "true"));
}

function draw() {
  const {paths, forest} = figures(), shown = forest[Number(chooser.value)], rows = shown.labels.length;
  const window = chooser.selectedOptions[0].text, labels = phone.matches ? shown.labels.map(label => cut(label.replace(/ \d{4}-\d\d-\d\d$/, ""), 15)) : shown.labels;
  show("paths", paths, layout("paths", paths, 420, {
    xaxis: {dtick: phone.matches ? 5 : 2, zeroline: false, title: {text: "day"}},
    shapes: [{type: "line", x0: 0, x1: 0, y0: 0, y1: 1, yref: "paper", line: {color: color("--muted"), width: 1, dash: "dash"}}],
  }), "Paths of the CAR by day; the numbers are in the tables named below.");
  show("forest", shown.traces, layout("forest", shown.traces, 56 + 19 * rows, {
    across: true, top: 24, left: phone.matches ? 112 : 52, xaxis: {side: "top", nticks: phone.matches ? 5 : 9},
    yaxis: {range: [rows - 0.4, -0.6], tickvals: labels.map((_, i) => i), ticktext: labels, tickfont: {size: phone.matches ? 11 : 12}, zeroline: false, showgrid: false},
  }), `CAR over ${window} of each event with its interval; the numbers are in the table named below.`);
  document.getElementById("said").textContent = `${rows} event${rows === 1 ? " has" : "s have"} all days of ${window}.`;
}

chooser.addEventListener("input", draw);
[dark, phone].forEach(query => query.addEventListener("change", draw));
draw();
