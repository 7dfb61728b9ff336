"use strict";
const key = (cell) => {
  const value = cell.dataset.key ?? cell.textContent.trim();
  return value === "" || isNaN(value) ? value : Number(value);
};
const compare = (a, b) =>
  typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), undefined, { numeric: true });
const sort = (table, heading, down) => {
  table.querySelectorAll("thead th").forEach((other) => other.removeAttribute("aria-sort"));
  heading.setAttribute("aria-sort", down ? "descending" : "ascending");
  const body = table.tBodies[0];
  const rows = [...body.rows].map((row) => [key(row.cells[heading.cellIndex]), row]);
  rows.sort((a, b) => compare(a[0], b[0]) * (down ? -1 : 1));
  body.append(...rows.map((pair) => pair[1]));
};
document.querySelectorAll("table.sortable").forEach((table) => {
  table.querySelectorAll("th button.sort").forEach((button) => {
    button.addEventListener("click", () => {
      const heading = button.parentElement;
      sort(table, heading, heading.getAttribute("aria-sort") === "ascending");
    });
  });
});

const table = document.querySelector("#submissions");
const rows = [...table.tBodies[0].rows].map((row) => [row, row.textContent.toLowerCase()]);
const search = document.querySelector("#search");
const select = document.querySelector("#question");
const count = document.querySelector("#count");
let kind = "";
const show = () => {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const [row, text] of rows) {
    const kinds = row.dataset.kinds.split(" ");
    row.hidden = !(kind === "" ? !kinds.includes("attempt") : kinds.includes(kind)) || !words.every((word) => text.includes(word));
    shown += !row.hidden;
  }
  count.textContent = `${shown} shown`;
};
const sheet = new Map(rows.map(([row]) => [row, row.cells[2]]));
const points = () => {
  for (const [row, whole] of sheet) {
    let cell = whole;
    if (select.value !== "") {
      const value = row.dataset.questions.split(" ")[select.value] ?? "-";
      cell = whole.cloneNode(false);
      cell.textContent = { "?": "pending", "-": "–" }[value] ?? value;
      cell.dataset.key = { "?": -1, "-": -2 }[value] ?? value;
    }
    row.cells[2].replaceWith(cell);
  }
  sort(table, table.tHead.rows[0].cells[2], false);
};
search.addEventListener("input", show);
select.addEventListener("change", points);
document.querySelectorAll("button.filter").forEach((button) => {
  button.addEventListener("click", () => {
    document.querySelectorAll("button.filter").forEach((other) => other.setAttribute("aria-pressed", other === button));
    kind = button.dataset.filter;
    show();
  });
});
document.querySelectorAll("button.pick").forEach((button) => {
  button.hidden = false;
  button.addEventListener("click", () => {
    select.value = button.dataset.question;
    points();
    document.querySelector("#students").scrollIntoView();
    select.focus({ preventScroll: true });
  });
});
document.querySelector("#tools").hidden = false;
show();
