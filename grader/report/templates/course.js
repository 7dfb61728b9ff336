"use strict";
const table = document.querySelector("#submissions");
const body = table.tBodies[0];
const key = (row, column) => {
  const value = row.cells[column].dataset.key ?? row.cells[column].textContent.trim();
  return value === "" || isNaN(value) ? value : Number(value);
};
const compare = (a, b) =>
  typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), undefined, { numeric: true });
table.querySelectorAll("th button").forEach((button) => {
  button.addEventListener("click", () => {
    const heading = button.parentElement;
    const down = heading.getAttribute("aria-sort") === "ascending";
    table.querySelectorAll("th").forEach((other) => other.removeAttribute("aria-sort"));
    heading.setAttribute("aria-sort", down ? "descending" : "ascending");
    const column = heading.cellIndex;
    const rows = [...body.rows].sort((a, b) => compare(key(a, column), key(b, column)));
    body.append(...(down ? rows.reverse() : rows));
  });
});
document.querySelector("#search").addEventListener("input", (event) => {
  const words = event.target.value.toLowerCase();
  for (const row of body.rows) row.hidden = !row.textContent.toLowerCase().includes(words);
});
