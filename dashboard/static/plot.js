// Assignments and completions over time, drawn from the same JSON that everybody can download.
"use strict";

const SECONDS_A_DAY = 86400;
const FEWEST = 14;

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function options(width) {
  const axis = { stroke: colour("--soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
  const bars = uPlot.paths.bars({ size: [0.7, 28] });
  return {
    width,
    height: 260,
    cursor: { drag: { x: false, y: false } },
    scales: {
      x: { range: (plot, first, last) => [first - SECONDS_A_DAY / 2, last + SECONDS_A_DAY / 2] },
      y: { range: (plot, low, high) => [0, Math.max(4, high * 1.1)] },
    },
    axes: [axis, { ...axis, size: 56, values: (plot, ticks) => ticks.map((tick) => Number.isInteger(tick) ? tick.toLocaleString() : "") }],
    series: [
      { label: "Day", value: (plot, seconds) => seconds === null ? "" : new Date(seconds * 1000).toLocaleDateString(undefined, { dateStyle: "medium", timeZone: "UTC" }) },
      { label: "Assigned", stroke: colour("--series-1"), fill: colour("--series-1"), width: 0, paths: bars, points: { show: false } },
      { label: "Completed", stroke: colour("--series-2"), width: 2.5, points: { show: false } },
    ],
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "UTC"),
  };
}

// The first weeks of a company are not drawn in the last corner of a quarter.
function sinceTheFirst(days) {
  const first = days.findIndex((day) => day.assigned || day.completed);
  return days.slice(Math.max(0, Math.min(first < 0 ? days.length : first, days.length - FEWEST)));
}

// Until somebody points at a day, the legend tells of the latest.
function make(element, columns) {
  const plot = new uPlot(options(element.clientWidth), columns, element);
  const tellLatest = () => setTimeout(() => plot.setLegend({ idx: columns[0].length - 1 }));
  plot.over.addEventListener("mouseleave", tellLatest);
  tellLatest();
  return plot;
}

async function draw(element) {
  const answer = await fetch(element.dataset.source, { credentials: "same-origin" });
  const days = sinceTheFirst(await answer.json());
  const columns = [
    days.map((day) => Date.parse(day.day) / 1000),
    days.map((day) => day.assigned),
    days.map((day) => day.completed),
  ];
  let plot = make(element, columns);
  new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: 260 })).observe(element);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    plot.destroy();
    plot = make(element, columns);
  });
}

document.querySelectorAll(".plot[data-source]").forEach(draw);
