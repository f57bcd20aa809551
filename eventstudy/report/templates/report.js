"use strict";
const events = document.querySelector("table.ev");
if (events) {
  const body = events.tBodies[events.tBodies.length - 1], rows = [...body.rows];
  const [text, group, flag, order, said] = ["find", "group", "flag", "order", "said"].map(id => document.getElementById(id));
  const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  const prose = iso => iso.replace(/^(\d+)-(\d+)-(\d+)$/, (_, year, month, day) => `${+day} ${months[month - 1]} ${year}`);
  const plain = node => node ? node.textContent.trim() : "";
  const first = cell => plain(cell.classList.contains("c-c") ? cell.querySelector("b") : cell.firstChild);
  const heads = [...events.tHead.rows[0].cells].filter(head => !head.matches(".fx, .c-s"));
  const numeric = head => head.classList.contains("num");
  const value = (head, row) => numeric(head) ? parseFloat(row.cells[head.cellIndex].dataset.v) : first(row.cells[head.cellIndex]);
  const missing = found => Number.isNaN(found) || found === "" || found === "–";
  const tell = more => {
    const shown = rows.filter(row => !row.hidden).length, all = shown === rows.length ? "" : "; means and tests are of all";
    said.textContent = `${shown} of ${rows.length} event${rows.length === 1 ? "" : "s"} shown${all}${more ? "; " + more : ""}.`;
  };

  function sort(head, up) {
    const how = `${head.dataset.name}, ${up ? "ascending" : "descending"}`;
    const key = new Map(rows.map((row, i) => [row, [value(head, row), i]]));
    heads.forEach(other => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    body.append(...[...rows].sort((one, other) => {
      const [a, i] = key.get(one), [b, j] = key.get(other), gone = missing(a) - missing(b);
      const by = numeric(head) ? a - b : a.localeCompare(b);
      return gone || (up ? by : -by) || i - j;
    }));
    order.value = String(head.cellIndex);
    document.getElementById("by").textContent = `by ${how}`;
    tell(`sorted by ${how}`);
  }

  function filter() {
    const sought = text.value.trim().toLowerCase();
    for (const mean of document.querySelectorAll("table.ev tbody.sum tr")) {
      mean.hidden = Boolean(group && group.value) && mean.dataset.group !== group.value;
    }
    for (const row of rows) {
      const words = `${row.textContent} ${prose(plain(row.cells[0]))}`.toLowerCase();
      const tags = [...row.querySelectorAll(".c-g .tag")].map(plain);
      row.hidden = !((!sought || words.includes(sought))
        && (!group || !group.value || plain(row.querySelector(".c-r")) === group.value)
        && (!flag || !flag.value || (flag.value === "*" ? tags.length : tags.includes(flag.value))));
    }
    tell("");
  }

  for (const head of heads) {
    const button = document.createElement("button"), label = head.firstChild;
    button.type = "button";
    head.dataset.name = label.textContent.trim();
    button.append(label);
    head.prepend(button);
    button.addEventListener("click", () => sort(head, head.getAttribute("aria-sort") !== "ascending"));
    order.add(new Option(head.dataset.name, head.cellIndex));
  }
  const listen = (control, act) => control && ["input", "change"].forEach(name => control.addEventListener(name, act));
  [text, group, flag].forEach(control => listen(control, filter));
  listen(order, () => sort(heads.find(head => head.cellIndex === Number(order.value)), true));
  document.getElementById("reset").addEventListener("click", () => {
    [text, group, flag].forEach(control => { if (control) control.value = ""; });
    filter();
    text.focus();
  });
  document.getElementById("controls").hidden = false;
  const car = heads.find(head => head.classList.contains("c-n"));
  car.setAttribute("aria-sort", "ascending");
  order.value = String(car.cellIndex);
  tell("");
}
for (const button of document.querySelectorAll("button.copy")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const source = document.getElementById(button.value);
    try {
      await navigator.clipboard.writeText(source.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(source);
      button.textContent = "Selected";
    }
  });
}
