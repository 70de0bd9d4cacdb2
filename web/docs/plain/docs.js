// Lists the addresses of the description. Texts are inserted as text, never as HTML.

function element(name, text, ...children) {
  const made = document.createElement(name);
  made.append(...(text ? [text] : []), ...children);
  return made;
}

function row(method, path, operation) {
  const security = operation.security?.length ? "token" : "";
  return element("tr", "", element("td", method.toUpperCase()), element("td", "", element("code", path)),
    element("td", operation.summary), element("td", security));
}

function table(tag, rows) {
  const head = element("tr", "", ...["Method", "Address", "What it does", "Needs"].map((title) => element("th", title)));
  return element("section", "", element("h2", tag.name), element("p", tag.description),
    element("table", "", element("thead", "", head), element("tbody", "", ...rows)));
}

function addresses({ tags, paths }) {
  const calls = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ tag: operation.tags[0], row: row(method, path, operation) })));
  return tags.map((tag) => table(tag, calls.filter((call) => call.tag === tag.name).map((call) => call.row)));
}

try {
  const response = await fetch("../openapi.json", { credentials: "omit" });
  if (!response.ok) throw new Error(`status ${response.status}`);
  document.querySelector("#addresses").replaceChildren(...addresses(await response.json()));
} catch (error) {
  document.querySelector("#fault").textContent = `The description could not be read: ${error.message}`;
}
