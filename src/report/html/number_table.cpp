#include "number_table.h"

#include "mcvol/files/text.h"

#include "html.h"

namespace mcvol {

namespace {

// It finds all it needs in the table, so that no text of others is ever part of a script. Rows are
// sorted from the order they were written in, which equal ones keep.
constexpr const char* kScript = R"(
(() => {
  const table = document.querySelector("#numbers table"), body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells], rows = [...body.rows];
  const add = (parent, tag, properties) =>
      parent.appendChild(Object.assign(document.createElement(tag), properties));

  const value = (row, n) => row.cells[n].dataset.order ?? row.cells[n].textContent;
  const order = (n, sign) => (a, b) => {
    const x = value(a, n), y = value(b, n);
    if (x === "" || y === "") return (x === "") - (y === "");
    const numbers = "order" in a.cells[n].dataset && "order" in b.cells[n].dataset;
    return sign * (numbers ? x - y : x.localeCompare(y, "en", {numeric: true}));
  };
  heads.forEach((head, n) => {
    const button = Object.assign(document.createElement("button"), {type: "button", textContent: head.textContent});
    head.replaceChildren(button);
    button.onclick = () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      heads.forEach(one => one.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      [...rows].sort(order(n, up ? 1 : -1)).forEach(row => body.append(row));
    };
  });

  const bar = document.createElement("p");
  bar.className = "filter screen";
  const words = add(add(bar, "label", {textContent: "Rows with "}), "input", {type: "search"});
  const flag = add(add(bar, "label", {textContent: "Flag "}), "select", {});
  const count = add(bar, "output", {});
  const flags = row => row.dataset.flags.split(" ").filter(Boolean);
  const choices = {"any or none": row => true};
  if (rows.some(row => "look" in row.dataset)) choices["to look at"] = row => "look" in row.dataset;
  for (const name of [...new Set(rows.flatMap(flags))].sort())
    choices[name] = row => flags(row).includes(name);
  for (const name in choices) add(flag, "option", {value: name, textContent: name});
  const show = () => {
    const wanted = words.value.toLowerCase().split(/\s+/);
    for (const row of rows) {
      const shown = [...row.cells].map(cell => cell.textContent).concat(flags(row)).join(" ").toLowerCase();
      const text = shown + " " + shown.replaceAll(" ", "_");
      row.hidden = !(choices[flag.value](row) && wanted.every(word => text.includes(word)));
    }
    count.textContent = `${rows.filter(row => !row.hidden).length} of ${rows.length} rows`;
  };
  bar.oninput = show;
  show();
  table.closest(".wide").before(bar);
})();
)";

std::string cell_of(const NumberCell& cell, bool first) {
  const std::string name = first ? "th" : "td";
  return "<" + name + (first ? " scope=\"row\"" : "") +
         (cell.number ? " data-order=\"" + decimal_text(*cell.number, 3) + "\"" : "") + ">" +
         cell.html + "</" + name + ">";
}

}  // namespace

std::string number_table(const std::vector<std::string>& header,
                         const std::vector<NumberRow>& rows) {
  std::string table = "<div id=\"numbers\"><div class=\"wide\"><table>\n<thead><tr>";
  for (const std::string& name : header) table += "<th scope=\"col\">" + name + "</th>";
  table += "</tr></thead>\n<tbody>\n";
  for (const NumberRow& row : rows) {
    std::string flags;
    for (const std::string& flag : row.flags) flags += (flags.empty() ? "" : " ") + flag;
    table +=
        "<tr data-flags=\"" + escaped(flags) + "\"" + (row.worth_a_look ? " data-look" : "") + ">";
    for (std::size_t n = 0; n < row.cells.size(); ++n) table += cell_of(row.cells[n], n == 0);
    table += "</tr>\n";
  }
  return table + "</tbody></table></div>\n<script>" + kScript + "</script></div>\n";
}

}  // namespace mcvol
